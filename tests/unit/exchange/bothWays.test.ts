import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { convert } from '../../../src/cli/convert.ts'
import { importFile } from '../../../src/cli/import.ts'
import { inspect } from '../../../src/cli/inspect.ts'
import { HycoraError } from '../../../src/core/errors.ts'
import { arrive } from '../../../src/exchange/arrive.ts'
import { peftFiles, writeShares } from '../../../src/exchange/share.ts'
import { writeBackup } from '../../../src/formats/backup.ts'
import { writeCardJson } from '../../../src/formats/cardFile.ts'
import { writeCardPng } from '../../../src/formats/cardPng.ts'
import { writeCharx } from '../../../src/formats/charx.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import { changeRole } from '../../../src/formats/packParts.ts'
import { readZip, writeZip } from '../../../src/formats/zip.ts'
import type { ZipFile } from '../../../src/formats/zip.ts'
import { archive, scenario } from '../../support/backyard.ts'
import { picture } from '../../support/png.ts'
import { tinyPack } from '../../support/tinyPack.ts'

/*
 * What the page's worker does with a file and what `hycora import` and `convert` do with it, side by side: one verdict,
 * the same bytes.
 */

type Bytes = Uint8Array<ArrayBuffer>
const utf8 = (text: string): Bytes => new TextEncoder().encode(text)

let folder = ''
let pack: Pack
let files: ReadonlyMap<string, Bytes>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hycora-'))
  const card = { name: 'Role 1', description: 'A clerk.', extensions: { own: [1, null] } }
  const bytes = await writePack(changeRole(tinyPack(), 'Role 1', { card, system: 'You are Role 1.' }))
  pack = await readPack(memorySource('company', bytes))
  const lora = [...peftFiles(pack, 'Role 1', { name: 'Clerk' })].map(([path, content]): ZipFile => ({
    path,
    bytes: content,
  }))
  const plain = writeCharx({ card })
  const crowd = Array.from({ length: 300 }, (_, index) => ({ path: `extra/${index}.txt`, bytes: utf8('x') }))
  const longHeader = new Uint8Array(64)
  longHeader.set([40, 0, 0, 0, 1, 1, 0, 0, 0x7b])
  files = new Map<string, Bytes>([
    ['company.hycora.safetensors', bytes],
    ['clerk.json', writeCardJson(card)],
    ['clerk.png', writeCardPng(card, picture())],
    ['clerk.charx', plain],
    [
      'trained.charx',
      writeCharx({ card, adapter: bytes, portrait: { bytes: picture(), mime: 'image/png' } }),
    ],
    ['with-config.charx', writeZip([...unzipped(plain), { path: 'adapter_config.json', bytes: utf8('{}') }])],
    ['with-manifest.zip', writeZip([...lora, { path: 'manifest.json', bytes: utf8('{}') }])],
    ['crowded.zip', writeZip([...lora, ...crowd])],
    ['long-header.safetensors', longHeader],
    ['backup.zip', await writeBackup([], { createdAt: 1, software: 'test' })],
    ['chat.jsonl', utf8('{"user_name":"a","character_name":"b"}\n{"name":"b","is_user":false,"mes":"hm"}\n')],
    ['unsaid.byaf', new Uint8Array(archive(scenario('At the light', '')))],
    ['lines.txt', utf8('Visitor: Hm?\nBrine: Hm.\n')],
    ['noise.bin', new Uint8Array(64)],
    ['clerk/adapter_config.json', lora[0]!.bytes as Bytes],
    ['clerk/adapter_model.safetensors', lora[1]!.bytes as Bytes],
  ])
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
})
afterAll(() => rm(folder, { recursive: true }))

function unzipped(bytes: Uint8Array): readonly ZipFile[] {
  const limits = { files: 99, inflatedBytes: 1e6, totalBytes: 1e6 }
  return [...readZip(bytes, 'zip', limits)].map(([path, content]) => ({ path, bytes: content }))
}

interface Verdict {
  /** The kind that came in, or the error's code. */
  readonly verdict: string
  readonly pack: Buffer | null
}

/** What the page's worker makes of a file, or of a folder's files. */
async function onPage(name: string): Promise<Verdict> {
  const arriving = [...files]
    .filter(([path]) => path === name || path.startsWith(`${name}/`))
    .map(([path, content]) => ({ path, file: new Blob([content]) }))
  const { arrivals, refusals } = await arrive(arriving, { backbone: null })
  const [arrival, refusal] = [arrivals[0], refusals[0]]
  if (refusal) return { verdict: refusal.code, pack: null }
  if (arrival?.kind !== 'pack') return { verdict: arrival?.kind ?? 'nothing', pack: null }
  return { verdict: 'pack', pack: Buffer.from(await arrival.file.arrayBuffer()) }
}

/** What the command line makes of it: cards, chats, lines and backups are known there, but become no pack. */
async function onCommandLine(name: string): Promise<Verdict> {
  const out = join(folder, 'out', name)
  try {
    await importFile([join(folder, name), '--out', out])
    return { verdict: 'pack', pack: await readFile(out) }
  } catch (error) {
    if (!(error instanceof HycoraError)) throw error
    const known = /is a character card without an adapter/.test(error.message) ? 'card' : error.code
    return {
      verdict: /none of the files that are imported/.test(error.message) ? 'other' : known,
      pack: null,
    }
  }
}

describe('a file is the same to the page and to the command line', () => {
  const cases = [
    ['company.hycora.safetensors', 'pack'],
    ['clerk.json', 'card'],
    ['clerk.png', 'card'],
    ['clerk.charx', 'card'],
    ['trained.charx', 'pack'],
    // A card, whatever lies beside it.
    ['with-config.charx', 'card'],
    // Of an adapter's folder and a manifest, only the adapter is of use.
    ['with-manifest.zip', 'pack'],
    ['crowded.zip', 'pack'],
    // No header is longer than four bytes can say.
    ['long-header.safetensors', 'format-unsupported'],
    // A character with whom nobody has spoken.
    ['unsaid.byaf', 'card'],
    ['backup.zip', 'backup'],
    ['chat.jsonl', 'chat'],
    ['lines.txt', 'lines'],
    ['noise.bin', 'format-unsupported'],
    ['clerk', 'pack'],
  ] as const
  const others = new Set(['backup', 'chat', 'lines'])

  test.each(cases)('%s is a %s', async (name, expected) => {
    const [page, commandLine] = [await onPage(name), await onCommandLine(name)]
    expect(page.verdict).toBe(expected)
    expect(commandLine.verdict).toBe(others.has(expected) ? 'other' : expected)
    expect(page.pack?.equals(commandLine.pack ?? Buffer.alloc(0))).toBe(page.pack ? true : undefined)
  })

  test.each(cases)('%s is looked at where it is taken', async (name, expected) => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const code = await inspect([join(folder, name)]).then(
      () => 'seen',
      (error: unknown) => (error instanceof HycoraError ? error.code : error),
    )
    written.mockRestore()
    expect(code).toBe(expected === 'format-unsupported' ? expected : 'seen')
  })

  test('what is larger than is read is refused before it is opened', async () => {
    const large = join(folder, 'large.safetensors')
    await writeFile(large, new Uint8Array([40, 0, 0, 0, 0, 0, 0, 0, 0x7b]))
    await truncate(large, 3 * 2 ** 30)
    const reason = /large\.safetensors has 3221225472 bytes, at most 536870912 are read/
    await expect(inspect([large])).rejects.toThrow(reason)
    await expect(importFile([large, '--out', join(folder, 'none')])).rejects.toThrow(reason)
  })

  test('the card of a trained CHARX names no file of an archive that is no longer there', async () => {
    const { pack: bytes } = await onPage('trained.charx')
    const { roles } = await readPack(memorySource('trained', new Uint8Array(bytes!)))
    expect(roles.find(({ name }) => name === 'Role 1')?.card).toMatchObject({
      description: 'A clerk.',
      assets: [],
    })
  })
})

/** One role of the company as `hycora convert` writes it. */
async function converted(to: string, ...more: readonly string[]): Promise<string> {
  const out = join(folder, 'converted', to)
  const source = join(folder, 'company.hycora.safetensors')
  await convert(['--pack', source, '--role', 'Role 1', '--to', to, '--out', out, ...more])
  return out
}

describe('a role goes out the same from the page and from the command line', () => {
  let forms: ReadonlyMap<string, Blob>
  beforeAll(async () => {
    const made = new Map<string, Blob>()
    const company = files.get('company.hycora.safetensors')!
    const shares = writeShares({
      pack: { name: 'company', file: new Blob([company]) },
      role: 'Role 1',
      name: 'Role 1',
      cards: new Map(),
      card: pack.roles[1]!.card,
      original: null,
      assets: new Map(),
      portrait: new Blob([new Uint8Array(picture())], { type: 'image/png' }),
      home: null,
      headDim: 4,
    })
    for await (const one of shares) if ('file' in one) made.set(one.form, one.file)
    forms = made
    await writeFile(join(folder, 'face.png'), picture())
    const config = { model_type: 'llama', hidden_size: 8, num_attention_heads: 2, hidden_act: 'silu' }
    await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  })

  const bytesOf = async (form: string): Promise<Buffer> => Buffer.from(await forms.get(form)!.arrayBuffer())
  test('as a pack', async () => {
    expect(await readFile(await converted('pack'))).toEqual(await bytesOf('role'))
  })

  test('as a CHARX', async () => {
    const out = await converted('charx', '--portrait', join(folder, 'face.png'))
    expect(await readFile(out)).toEqual(await bytesOf('charx'))
  })

  test('as a PEFT folder', async () => {
    const out = await converted('peft')
    const zipped = unzipped(await bytesOf('peft'))
    expect(await readdir(out)).toHaveLength(zipped.length)
    for (const { path, bytes } of zipped) expect(await readFile(join(out, path))).toEqual(Buffer.from(bytes))
  })

  test('as a GGUF adapter', async () => {
    expect(await readFile(await converted('gguf', '--backbone', folder))).toEqual(await bytesOf('gguf'))
  })
})

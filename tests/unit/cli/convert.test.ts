import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { convert } from '../../../src/cli/convert.ts'
import { importFile } from '../../../src/cli/import.ts'
import { readCardFile, writeCardJson } from '../../../src/formats/cardFile.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { addBlend, changeRole } from '../../../src/formats/packParts.ts'
import { writeSafetensors } from '../../../src/formats/safetensors.ts'
import { readGguf } from '../../support/gguf.ts'
import { picture } from '../../support/png.ts'
import { tinyPack } from '../../support/tinyPack.ts'

let folder = ''
const at = (name: string): string => join(folder, name)
const open = async (name: string) => readPack(memorySource(name, new Uint8Array(await readFile(at(name)))))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hycora-'))
  const carded = changeRole(tinyPack(), 'Role 1', {
    card: { name: 'Role 1', extensions: { other: { kept: 1 } } },
  })
  const pack = addBlend(carded, { name: 'Mix', card: null, system: null }, [
    { role: 'Role 0', weight: 2 },
    { role: 'Role 2', weight: -1 },
  ])
  await writeFile(at('all.hycora.safetensors'), await writePack(pack))
  await writeFile(at('face.png'), picture())
})
afterAll(() => rm(folder, { recursive: true }))

function to(kind: string, out: string, ...more: readonly string[]) {
  const role = more.includes('--role') ? [] : ['--role', 'Role 1']
  return convert(['--pack', at('all.hycora.safetensors'), ...role, '--to', kind, '--out', at(out), ...more])
}

test('a pack is imported to the byte', async () => {
  await importFile([at('all.hycora.safetensors'), '--out', at('same')])
  expect(Buffer.compare(await readFile(at('same')), await readFile(at('all.hycora.safetensors')))).toBe(0)
})

test('one role, and one blend with its parents', async () => {
  await to('pack', 'one')
  expect((await open('one')).roles.map(({ name }) => name)).toEqual(['Role 1'])
  await to('pack', 'mix', '--role', 'Mix', '--f16')
  const mix = await open('mix')
  expect(mix.roles.map(({ name }) => name)).toEqual(['Role 0', 'Role 2', 'Mix'])
  expect(new Set(Array.from(mix.tensors.values(), ({ dtype }) => dtype))).toEqual(new Set(['F16']))
})

test('a whole pack in halves', async () => {
  await convert(['--pack', at('all.hycora.safetensors'), '--to', 'pack', '--out', at('halves'), '--f16'])
  const [all, halves] = [await open('all.hycora.safetensors'), await open('halves')]
  expect(halves.roles).toEqual(all.roles)
  expect(new Set(Array.from(halves.tensors.values(), ({ dtype }) => dtype))).toEqual(new Set(['F16']))
})

test('a CHARX there and back: portrait and adapter, and the card as somebody edited it', async () => {
  await to('charx', 'role.charx', '--portrait', at('face.png'))
  const file = readCardFile(new Uint8Array(await readFile(at('role.charx'))), 'role.charx')
  expect(file.portrait?.mime).toBe('image/png')
  expect(file.card).toMatchObject({ name: 'Role 1', extensions: { other: { kept: 1 } } })
  await importFile([at('role.charx'), '--out', at('back')])
  const back = await open('back')
  expect(back.roles[0]).toMatchObject({ name: 'Role 1', card: { name: 'Role 1', assets: [] } })
  await to('pack', 'plain')
  expect(back.sha256).toBe((await open('plain')).sha256)
})

test('a PEFT folder there and back, and as a GGUF adapter', async () => {
  await to('peft', 'lora', '--strength', '0.5')
  await importFile([at('lora'), '--out', at('from-lora'), '--role', 'Ada', '--system', 'You are Ada.'])
  const pack = await open('from-lora')
  expect(pack.config).toMatchObject({ alpha: 2, rank: 2, sources: { A: 'shared', B: 'shared' } })
  expect(pack.roles).toEqual([{ name: 'Ada', card: null, system: 'You are Ada.', blend: null }])
  await expect(to('gguf', 'role.gguf')).rejects.toThrow(expect.objectContaining({ code: 'usage' }))
  await writeFile(
    at('config.json'),
    JSON.stringify({ model_type: 'llama', hidden_size: 8, num_attention_heads: 2, hidden_act: 'silu' }),
  )
  await to('gguf', 'role.gguf', '--backbone', folder)
  expect(readGguf(await readFile(at('role.gguf'))).fields.get('general.architecture')).toBe('llama')
})

test('a checkpoint needs rank, alpha and names', async () => {
  await writeFile(at('theirs.safetensors'), writeSafetensors(tinyPack().tensors, new Map()))
  const words = [at('theirs.safetensors'), '--out', at('theirs')]
  await expect(importFile(words)).rejects.toThrow(expect.objectContaining({ code: 'usage' }))
  await importFile([...words, '--rank', '2', '--alpha', '4', '--roles', 'One, Two,Three'])
  expect((await open('theirs')).roles.map(({ name }) => name)).toEqual(['One', 'Two', 'Three'])
})

test('a card without an adapter says so', async () => {
  await writeFile(at('card.json'), writeCardJson({ name: 'Ada' }))
  await expect(importFile([at('card.json'), '--out', at('x')])).rejects.toThrow(
    expect.objectContaining({
      code: 'format-unsupported',
      message: expect.stringContaining('without an adapter'),
    }),
  )
})

test.each([[['--to', 'zip']], [['--to', 'peft', '--f16']], [['--to', 'charx', '--strength', '2']]])(
  '%j is a wrong use',
  async (words) => {
    const all = ['--pack', at('all.hycora.safetensors'), '--role', 'Role 1', '--out', at('x'), ...words]
    await expect(convert(all)).rejects.toThrow(expect.objectContaining({ code: 'usage' }))
  },
)

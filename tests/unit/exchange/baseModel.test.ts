import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { convert } from '../../../src/cli/convert.ts'
import { importFile } from '../../../src/cli/import.ts'
import { arrive } from '../../../src/exchange/arrive.ts'
import type { ArrivingBackbone, PackArrival } from '../../../src/exchange/arrival.ts'
import { ggufFile, peftFiles } from '../../../src/exchange/share.ts'
import { shippedBackbone } from '../../../src/exchange/shippedBackbones.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import type { PackContent } from '../../../src/formats/pack.ts'
import { changeRole } from '../../../src/formats/packParts.ts'
import { writeSafetensors } from '../../../src/formats/safetensors.ts'
import { linears, peftFolder, peftTensors } from '../../support/adapterFolder.ts'
import { readGguf } from '../../support/gguf.ts'
import { tinyPack } from '../../support/tinyPack.ts'

type Bytes = Uint8Array<ArrayBuffer>
type Folder = ReadonlyMap<string, Bytes>

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hycora-'))
})
afterAll(() => rm(root, { recursive: true }))

const within = (folder: string, files: Folder): Folder =>
  new Map([...files].map(([path, bytes]) => [`${folder}/${path}`, bytes] as const))
const arrivalsOf = (files: Folder, backbone: ArrivingBackbone | null = null) =>
  arrive(
    [...files].map(([path, content]) => ({ path, file: new Blob([content]) })),
    { backbone },
  )
const configOf = (folder: Folder): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(folder.get('adapter_config.json'))) as Record<string, unknown>

const MADE_FOR = { name: 'Made for', architecture: 'llama', fingerprint: 'a'.repeat(64) }
const OTHER = { name: 'other', architecture: 'llama', fingerprint: 'b'.repeat(64) }
const content = (backbone = MADE_FOR): PackContent => ({
  ...changeRole(tinyPack(), 'Role 1', { system: 'You are Role 1.' }),
  backbone,
  provenance: { licence: 'CC0-1.0' },
})
const opened = async (from: PackContent) => readPack(memorySource('pack', await writePack(from)))

describe('the base model', () => {
  test('is known by its fingerprint in what was written here, whatever is loaded', async () => {
    const folder = peftFiles(await opened(content()), 'Role 1', { name: 'Clerk' })
    for (const loaded of [null, { ...OTHER, layers: 7, hidden: 99 }]) {
      const { arrivals } = await arrivalsOf(within('any', folder), loaded)
      expect(arrivals[0]).toMatchObject({ backbone: MADE_FOR, layers: 2, licence: 'CC0-1.0', warnings: [] })
      expect((arrivals[0] as PackArrival).roles).toMatchObject([{ name: 'Clerk', system: 'You are Role 1.' }])
    }
  })

  test('is a fact of the folder that a stranger may have spoilt', async () => {
    const spoilt = [
      { name: 7 },
      { name: 'x', system: null, licence: '', backbone: { ...MADE_FOR, fingerprint: 'x' } },
      [],
      'x',
    ]
    for (const stated of spoilt) {
      const file = writeSafetensors(peftTensors(linears()), new Map([['hycora', JSON.stringify(stated)]]))
      const { arrivals } = await arrivalsOf(
        within('any', peftFolder().set('adapter_model.safetensors', file)),
      )
      expect(arrivals[0]).toMatchObject({ backbone: { name: 'owner/model', fingerprint: '' } })
      expect((arrivals[0] as PackArrival).roles).toMatchObject([{ name: 'any', system: null }])
    }
  })

  test.each([
    ['owner/model', 'only', null],
    ['owner/model', 'only', { ...OTHER, name: 'Model' }],
    ['someone/SmolLM2-135M-Instruct-bnb-4bit', 'only', { ...OTHER, name: 'smollm2-135m-instruct' }],
    [
      'HuggingFaceTB/SmolLM2-135M-Instruct',
      'only',
      {
        ...OTHER,
        name: 'SmolLM2 135M',
        fingerprint: '81251daa2d70ce45573d6bd0d8ff0698f13f0ce01319538626e1bb55cbe351d3',
      },
    ],
    ['HuggingFaceTB/SmolLM2-135M', 'other', { ...OTHER, name: 'smollm2-135m-instruct' }],
    ['owner/model', 'other', OTHER],
  ] as const)('%s: its name against that of what is loaded (%s)', async (base, told, loaded) => {
    const folder = within('any', peftFolder({ base_model_name_or_path: base }))
    const { arrivals } = await arrivalsOf(folder, loaded && { ...loaded, layers: 2, hidden: 4 })
    const beside = told === 'other' ? `, and ${loaded?.name} is at hand` : ''
    expect(arrivals[0]?.warnings).toEqual([
      `The folder names ${base} as its base model${beside}; only the sizes can be compared.`,
    ])
  })

  test('is another where its states are wider', async () => {
    const { arrivals, refusals } = await arrivalsOf(within('any', peftFolder()), {
      ...OTHER,
      layers: 2,
      hidden: 576,
    })
    expect(arrivals).toEqual([])
    expect(refusals).toMatchObject([
      {
        code: 'model-incompatible',
        message: 'the LoRA is made for owner/model, whose states have 4 numbers; those of other have 576',
      },
    ])
  })

  test('that a pack names by fingerprint cannot be changed by importing it', async () => {
    const folder = peftFiles(await opened(content()), 'Role 1', { name: 'Clerk' })
    for (const [path, bytes] of within('bound', folder)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), bytes)
    }
    const words = [
      join(root, 'bound'),
      '--backbone',
      'public/models/starter',
      '--out',
      join(root, 'out', 'bound'),
    ]
    await expect(importFile(words)).rejects.toThrow(
      expect.objectContaining({
        code: 'model-incompatible',
        message: expect.stringMatching(/^bound is made for Made for \(fingerprint aaaa.*not for starter/),
      }),
    )
  })
})

describe('what goes out names a base model that exists', () => {
  const shown = {
    name: 'SmolLM2 135M',
    architecture: 'llama',
    fingerprint: '81251daa2d70ce45573d6bd0d8ff0698f13f0ce01319538626e1bb55cbe351d3',
  }

  test('by the fingerprint, whatever name the page shows', async () => {
    const folder = peftFiles(await opened(content(shown)), 'Role 1', { name: 'Clerk' })
    expect(configOf(folder)['base_model_name_or_path']).toBe('HuggingFaceTB/SmolLM2-135M-Instruct')
    const readme = new TextDecoder().decode(folder.get('README.md'))
    expect(readme).toContain('base_model: "HuggingFaceTB/SmolLM2-135M-Instruct"')
    expect(readme).toContain(`    HuggingFaceTB/SmolLM2-135M-Instruct, fingerprint ${shown.fingerprint}\n`)
  })

  test.each([
    ['owner/tiny', 'owner/tiny'],
    ['tiny', 'tiny'],
    ['A model of mine', null],
    ['', null],
  ])('“%s”, whose fingerprint is not known, as %s', async (name, expected) => {
    const pack = await opened(content({ ...MADE_FOR, name }))
    const folder = peftFiles(pack, 'Role 1', { name: 'Clerk' })
    expect(configOf(folder)['base_model_name_or_path']).toBe(expected)
    expect(new TextDecoder().decode(folder.get('README.md')).includes('base_model:')).toBe(expected !== null)
    expect(
      configOf(peftFiles(pack, 'Role 1', { name: 'Clerk', baseModel: 'x/y' }))['base_model_name_or_path'],
    ).toBe('x/y')
  })

  test('by the name of a shipped one where there is no fingerprint', async () => {
    for (const [fingerprint, expected] of [
      ['', 'HuggingFaceTB/SmolLM2-135M-Instruct'],
      [MADE_FOR.fingerprint, 'smollm2-135m-instruct'],
    ] as const) {
      const pack = await opened(content({ ...MADE_FOR, name: 'smollm2-135m-instruct', fingerprint }))
      expect(configOf(peftFiles(pack, 'Role 1', { name: 'Clerk' }))['base_model_name_or_path']).toBe(expected)
    }
  })

  test('as a GGUF adapter that comes in again is told as one', async () => {
    const file = ggufFileOf({ ...MADE_FOR, architecture: 'qwen2' }, null)
    const { refusals } = await arrivalsOf(new Map([['clerk.gguf', file]]))
    expect(refusals).toMatchObject([
      {
        code: 'format-unsupported',
        message: expect.stringMatching(/^clerk\.gguf is an adapter of qwen2 for llama\.cpp .*PEFT folder$/),
      },
    ])
  })

  test('as a GGUF adapter, whose heads are those of the fingerprint', async () => {
    // Heads of 64 do not divide the tiny pack's width of 8: what is asked for shows which size was taken.
    expect(() => ggufFileOf(shown, 4)).toThrow(/64/)
    const qwen = { ...shown, architecture: 'qwen2' }
    expect(Object.fromEntries(readGguf(ggufFileOf(qwen, null)).fields)).toMatchObject({
      'general.base_model.0.name': 'SmolLM2-135M-Instruct',
      'general.base_model.0.organization': 'HuggingFaceTB',
      'general.base_model.0.repo_url': 'https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct',
      'hycora.backbone.fingerprint': shown.fingerprint,
    })
    expect(
      readGguf(ggufFileOf({ ...MADE_FOR, architecture: 'qwen2' }, null)).fields.has(
        'general.base_model.0.repo_url',
      ),
    ).toBe(false)
  })

  test('on the command line', async () => {
    await mkdir(root, { recursive: true })
    await writeFile(join(root, 'shown.hycora.safetensors'), await writePack(content(shown)))
    const words = [
      '--pack',
      join(root, 'shown.hycora.safetensors'),
      '--role',
      'Role 1',
      '--to',
      'peft',
      '--out',
      join(root, 'shown'),
    ]
    await convert(words)
    const config = JSON.parse(await readFile(join(root, 'shown', 'adapter_config.json'), 'utf8')) as Record<
      string,
      unknown
    >
    expect(config['base_model_name_or_path']).toBe('HuggingFaceTB/SmolLM2-135M-Instruct')
  })

  let pack: Awaited<ReturnType<typeof opened>>
  beforeAll(async () => {
    pack = await opened(content())
  })
  const ggufFileOf = (backbone: PackContent['backbone'], headDim: number | null): Bytes =>
    ggufFile({ ...pack, backbone }, 'Role 1', { name: 'Clerk', headDim })
})

test('the shipped backbones are known as they are served', async () => {
  const served = JSON.parse(await readFile('public/models/index.json', 'utf8')) as readonly {
    readonly fingerprint: string
    readonly folder: string
    readonly id: string
  }[]
  for (const { fingerprint, folder, id } of served) {
    const config = JSON.parse(await readFile(join('public', folder, 'config.json'), 'utf8')) as Record<
      string,
      number
    >
    const known = shippedBackbone(fingerprint)
    const headDim = config['head_dim'] ?? config['hidden_size']! / config['num_attention_heads']!
    expect(known).toMatchObject({
      headDim,
      repository: expect.stringMatching(new RegExp(`(?:^|/)${id}$`, 'i')),
    })
  }
})

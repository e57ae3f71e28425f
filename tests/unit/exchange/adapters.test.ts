import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { importFile } from '../../../src/cli/import.ts'
import { inspect } from '../../../src/cli/inspect.ts'
import { HycoraError } from '../../../src/core/errors.ts'
import { arrive } from '../../../src/exchange/arrive.ts'
import type { ArrivingBackbone, ArrivingFile, PackArrival } from '../../../src/exchange/arrival.ts'
import { writeSafetensors } from '../../../src/formats/safetensors.ts'
import { writeZip } from '../../../src/formats/zip.ts'
import {
  f32,
  linears,
  mlxFolder,
  peftConfig,
  peftFolder,
  peftTensors,
  unpadded,
  utf8,
  weights,
} from '../../support/adapterFolder.ts'

type Bytes = Uint8Array<ArrayBuffer>
type Folder = ReadonlyMap<string, Bytes>

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'hycora-'))
})
afterAll(() => rm(root, { recursive: true }))

interface Verdict {
  /** A refusal's or an arrival's words, without what they share. */
  readonly told: readonly string[]
  readonly code: string
  readonly pack: Buffer | null
}

/** What the page's worker makes of files. */
async function onPage(files: Folder): Promise<Verdict> {
  const arriving = [...files].map(([path, content]): ArrivingFile => ({ path, file: new Blob([content]) }))
  const { arrivals, refusals } = await arrive(arriving, { backbone: null })
  expect(arrivals.length + refusals.length).toBe(1)
  const [arrival, refusal] = [arrivals[0], refusals[0]]
  if (refusal) return { told: [refusal.message], code: refusal.code, pack: null }
  if (arrival?.kind !== 'pack') throw new Error(`it is ${arrival?.kind}`)
  return { told: arrival.warnings, code: '', pack: Buffer.from(await arrival.file.arrayBuffer()) }
}

/** What `import` makes of a file or folder of that name. */
async function onCommandLine(files: Folder, name: string): Promise<Verdict> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  const out = join(root, 'out', name)
  const told: string[] = []
  const write = process.stderr.write.bind(process.stderr)
  process.stderr.write = (text: string | Uint8Array): boolean => told.push(String(text)) > 0
  try {
    await importFile([join(root, name), '--out', out])
    return {
      told: told.map((line) => line.replace(/^warning: |\n$/g, '')),
      code: '',
      pack: await readFile(out),
    }
  } catch (error) {
    if (!(error instanceof HycoraError)) throw error
    return { told: [error.message], code: error.code, pack: null }
  } finally {
    process.stderr.write = write
  }
}

const within = (folder: string, files: Folder): Folder =>
  new Map([...files].map(([path, bytes]) => [`${folder}/${path}`, bytes] as const))
const zipped = (files: Folder): Bytes => writeZip([...files].map(([path, bytes]) => ({ path, bytes })))
const appleDouble = Uint8Array.of(0, 5, 22, 7, 0, 2)
const pickled = Uint8Array.of(
  0x80,
  2,
  0x8a,
  10,
  0x6c,
  0xfc,
  0x9c,
  0x46,
  0xf9,
  0x20,
  0x6a,
  0xa8,
  0x50,
  0x19,
  0x2e,
)
const kohya = (stem: string): Bytes =>
  writeSafetensors(
    new Map([
      [`${stem}.alpha`, f32([], Float32Array.of(16))],
      [`${stem}.lora_down.weight`, f32([2, 4], new Float32Array(8))],
      [`${stem}.lora_up.weight`, f32([4, 2], new Float32Array(8))],
    ]),
    new Map([['ss_network_dim', '2']]),
  )

const BASE = /^The folder names owner\/model as its base model; only the sizes can be compared\.$/
const CASES: readonly (readonly [string, Folder, readonly RegExp[] | RegExp])[] = [
  ['peft', within('peft', peftFolder()), [BASE]],
  [
    'ranks',
    within(
      'ranks',
      peftFolder({ rank_pattern: { q_proj: 3 } }, peftTensors(linears((m) => (/q_/.test(m) ? 3 : 2)))),
    ),
    [BASE],
  ],
  ['mlx', within('mlx', mlxFolder()), [BASE]],
  [
    'mac',
    new Map([
      ...within('mac', peftFolder()),
      ['mac/._adapter_config.json', appleDouble],
      ['mac/.DS_Store', appleDouble],
    ]),
    [BASE],
  ],
  [
    'beside',
    new Map([
      ...within('beside', peftFolder()),
      ['beside/optimizer.pt', pickled],
      ['beside/README.md', utf8('# x')],
    ]),
    [BASE],
  ],
  ['ga', within('ga', peftFolder({ init_lora_weights: 'lora_ga' })), [/began with lora_ga/, BASE]],
  [
    'zero',
    within('zero', peftFolder({}, peftTensors(linears().map((one) => ({ ...one, b: one.b.map(() => 0) }))))),
    [BASE, /^Every B is zero/],
  ],
  ['peft.zip', new Map([['peft.zip', zipped(within('my lora', peftFolder()))]]), [BASE]],
  ['mlx.zip', new Map([['mlx.zip', zipped(mlxFolder())]]), [BASE]],
  [
    'two.zip',
    new Map([
      [
        'two.zip',
        zipped(
          new Map([
            ...within('a/checkpoint-9', peftFolder()),
            ...within('a', peftFolder({ lora_alpha: 2 })),
            ...within('__MACOSX/a', peftFolder()),
          ]),
        ),
      ],
    ]),
    [/^two\.zip holds several adapters; a\/ was read, not a\/checkpoint-9\/\.$/, BASE],
  ],
  [
    'bare.zip',
    new Map([
      ['bare.zip', zipped(new Map([['x/adapter_model.safetensors', weights(peftTensors(linears()))]]))],
    ]),
    /adapter_config\.json is missing/,
  ],
  [
    'pickle',
    new Map([
      ['pickle/adapter_config.json', peftConfig()],
      ['pickle/adapter_model.bin', pickled],
    ]),
    /adapter_model\.bin holds .*weights_only=True/,
  ],
  [
    'lfs.safetensors',
    new Map([
      ['lfs.safetensors', utf8('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n')],
    ]),
    /^lfs\.safetensors is a pointer of Git LFS/,
  ],
  [
    'page.safetensors',
    new Map([['page.safetensors', utf8('<!doctype html><html><title>x</title></html>')]]),
    /^page\.safetensors is a page of the web/,
  ],
  ['named', within('named/my_adapter', peftFolder()), [BASE]],
  [
    'pickle.bin',
    new Map([['pickle.bin', pickled]]),
    /^pickle\.bin is weights in PyTorch’s own form .*weights_only=True/,
  ],
  [
    'newer.pt',
    new Map([
      [
        'newer.pt',
        zipped(
          new Map([
            ['newer/data.pkl', pickled],
            ['newer/version', utf8('3')],
          ]),
        ),
      ],
    ]),
    /^newer\.pt is weights in PyTorch’s own form/,
  ],
  [
    'adapters.npz',
    new Map([['adapters.npz', zipped(new Map([['model.layers.0.self_attn.q_proj.lora_a.npy', utf8('x')]]))]]),
    /^adapters\.npz is the weights of an old mlx-lm’s adapter/,
  ],
  [
    'arrays.npz',
    new Map([['arrays.npz', zipped(new Map([['a.npy', utf8('x')]]))]]),
    /^arrays\.npz is arrays of NumPy/,
  ],
  [
    'adapter_model.safetensors',
    new Map([['adapter_model.safetensors', weights(peftTensors(linears()))]]),
    /the weights of a PEFT LoRA; its adapter_config\.json is missing.*take the whole folder/,
  ],
  [
    'adapters.safetensors',
    new Map([['adapters.safetensors', unpadded(mlxFolder().get('adapters.safetensors')!)]]),
    /the weights of an mlx-lm adapter; its adapter_config\.json is missing/,
  ],
  ...[
    'lora_te_model_layers_0_mlp_down_proj',
    'lora_unet_down_blocks_0',
    'lora_te1_text_model_x',
    'lycoris_x_y',
  ].map(
    (stem) =>
      [
        `${stem}.safetensors`,
        new Map([[`${stem}.safetensors`, kohya(stem)]]),
        /a LoRA as kohya’s trainer writes it.*no adapter of this kind is read/,
      ] as const,
  ),
  ...(
    [
      ['diffusers', 'unet.down_blocks.0.attentions.0.to_q.lora_A.weight', /a LoRA of a model of pictures/],
      ['lokr', 'x.layers.0.q_proj.lokr_w1', /a LyCORIS adapter/],
      ['prompt', 'prompt_embeddings', /a learnt prompt/],
      ['model', 'model.layers.0.self_attn.q_proj.weight', /the weights of a whole model/],
      ['anything', 'x', /lacks the format "hycora-pack"/],
    ] as const
  ).map(([name, tensor, told]) => {
    const file = writeSafetensors(new Map([[tensor, f32([2, 2], new Float32Array(4))]]), new Map())
    return [`${name}.safetensors`, new Map([[`${name}.safetensors`, file]]), told] as const
  }),
]

describe('an adapter is the same to the page and to the command line', () => {
  test.each(CASES)('%s', async (name, files, told) => {
    const [page, commandLine] = [await onPage(files), await onCommandLine(files, name)]
    expect(commandLine).toEqual(page)
    const expected = told instanceof RegExp ? [told] : told
    expect(page.pack === null).toBe(told instanceof RegExp)
    expect(page.told).toEqual(expected.map((words) => expect.stringMatching(words)))
  })

  test('a folder with several says which', async () => {
    const files = new Map([...within('some/one', peftFolder()), ...within('some/other', peftFolder())])
    const { told } = await onCommandLine(files, 'some')
    expect(told[0]).toMatch(/some holds several adapters: one, other; name one of them$/)
  })

  test('a folder without its configuration says what it lacks', async () => {
    const { told } = await onCommandLine(new Map([['bare/adapter_model.safetensors', utf8('x')]]), 'bare')
    expect(told[0]).toMatch(/bare is no folder of an adapter: .*only adapter_model\.safetensors/)
  })

  test('is looked at without being used', async () => {
    const shown: string[] = []
    const write = process.stdout.write.bind(process.stdout)
    process.stdout.write = (text: string | Uint8Array): boolean => shown.push(String(text)) > 0
    await inspect([join(root, 'zero'), '--json']).finally(() => (process.stdout.write = write))
    expect(JSON.parse(shown.join(''))).toMatchObject({
      kind: 'PEFT LoRA',
      warnings: [expect.stringMatching(/^Every B is zero/)],
    })
  })
})

const arrivalsOf = (files: Folder, backbone: ArrivingBackbone | null = null) =>
  arrive(
    [...files].map(([path, content]) => ({ path, file: new Blob([content]) })),
    { backbone },
  )

describe('files chosen one by one', () => {
  test('are one adapter, whatever a Mac left beside them, and other files stand by themselves', async () => {
    // A browser may take the mark from the name of what a Mac leaves behind.
    const files: ArrivingFile[] = [
      { path: 'adapter_config.json', file: new Blob([appleDouble]) },
      ...[...peftFolder()].map(([path, content]) => ({ path, file: new Blob([content]) })),
      { path: '._adapter_model.safetensors', file: new Blob([appleDouble]) },
      { path: 'lines.txt', file: new Blob(['Visitor: Hm?\nBrine: Hm.\n']) },
    ]
    const { arrivals, refusals } = await arrive(files, { backbone: null })
    expect(refusals).toEqual([])
    expect(arrivals.map(({ kind }) => kind)).toEqual(['pack', 'lines'])
    expect((arrivals[0] as PackArrival).roles.map(({ name }) => name)).toEqual(['Adapter'])
  })

  test('are told of where nothing else came', async () => {
    const { refusals } = await arrivalsOf(new Map([['._card.png', appleDouble]]))
    expect(refusals).toMatchObject([{ fileName: '._card.png', code: 'format-unsupported' }])
  })
})

import { describe, expect, test } from 'vitest'

/** Who may import whom; a layer may always import itself. */
const layers: Readonly<Record<string, readonly string[]>> = {
  shaders: [],
  'src/core': [],
  'src/formats': ['src/core'],
  'src/gpu': ['src/core'],
  'src/download': ['src/core'],
  'src/hub': ['src/core', 'src/download'],
  'src/storage': ['src/core', 'src/formats', 'src/download'],
  'src/kernels': ['src/core', 'src/gpu', 'shaders'],
  'src/cast': ['src/core', 'src/formats', 'src/storage'],
  'src/model': ['src/core', 'src/gpu', 'src/kernels', 'src/formats'],
  'src/train': ['src/core', 'src/gpu', 'src/kernels', 'src/formats', 'src/model'],
  'src/fallback': ['src/core', 'src/formats', 'src/model'],
  'src/play': ['src/core', 'src/formats', 'src/gpu', 'src/model', 'src/fallback'],
  'src/exchange': ['src/core', 'src/formats', 'src/storage', 'src/cast', 'src/model'],
  'src/evaluate': ['src/core', 'src/formats', 'src/cast', 'src/model', 'src/train', 'src/play'],
  'src/bench': ['src/core', 'src/gpu', 'src/kernels', 'src/formats', 'src/model', 'src/train', 'src/play'],
  'src/engine': [
    'src/core',
    'src/formats',
    'src/gpu',
    'src/model',
    'src/train',
    'src/fallback',
    'src/play',
    'src/exchange',
  ],
  'src/cli': [
    'src/core',
    'src/formats',
    'src/gpu',
    'src/cast',
    'src/model',
    'src/train',
    'src/fallback',
    'src/play',
    'src/exchange',
    'src/evaluate',
    'src/bench',
    'src/download',
    'src/hub',
  ],
  app: ['src/core', 'src/storage', 'src/cast', 'src/engine', 'src/download', 'src/hub'],
}

/** What a layer may name in types alone, beside what it may import. */
const typesOnly: Readonly<Record<string, readonly string[]>> = {
  app: ['src/formats', 'src/play', 'src/exchange', 'src/bench'],
}

/** What the app may name of the engine and of the bench; workers only as the addresses of their bundles. */
const engineDoors = [
  'src/engine/client.ts',
  'src/engine/protocol.ts',
  'src/engine/worker.ts?worker&url',
  'src/engine/fileClient.ts',
  'src/engine/fileProtocol.ts',
  'src/engine/fileWorker.ts?worker&url',
  'src/bench/benchWorker.ts?worker&url',
]

/**
 * Folders whose rooms have an order, lowest first: each may import those before it. What lies beside the rooms may import
 * them all, and none of them it.
 */
const rooms: Readonly<Record<string, readonly string[]>> = {
  app: [
    'words',
    'stores',
    'shared',
    'share',
    'arrivals',
    'teach',
    'cast',
    'backstage',
    'chat',
    'blend',
    'map',
    'group',
  ],
  'app/teach': ['parts', 'run', 'plan', 'night', 'lines'],
  'app/stores': ['page', 'company', 'engine', 'teach', 'chat', 'exchange'],
  'src/model': ['decoder', 'graph', 'adapter', 'gpu'],
  'src/train': ['settings', 'data', 'parameters', 'gradients', 'run'],
  'src/kernels': ['operands'],
}

/** Packages that only some layers may import; all others are free. */
const packages: Readonly<Record<string, readonly string[]>> = {
  react: ['app'],
  'react-dom': ['app'],
  zustand: ['app'],
  'idb-keyval': ['src/storage'],
  'onnxruntime-web': ['src/fallback', 'src/cli'],
  'onnxruntime-node': ['src/cli'],
  webgpu: ['src/cli'],
  node: ['src/cli'],
  '@huggingface/hub': ['src/hub'],
  '@noble/hashes': ['src/download'],
}

const sources = import.meta.glob<string>('../../{app,src}/**/*.{ts,tsx}', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const files = Object.entries(sources).map(([path, text]) => ({ path: path.replace('../../', ''), text }))

interface Import {
  readonly from: string
  /** A path from the repository's root, with its query, or a package's name. */
  readonly to: string
  readonly isType: boolean
}

/** Every module that a text names: static and dynamic imports, re-exports and `new URL(…, import.meta.url)`. */
function importsOf({ path, text }: { readonly path: string; readonly text: string }): Import[] {
  const pattern =
    /(\b(?:import|export)\s+type\s[^'"]*?)?\b(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]|\bURL\(\s*['"]([^'"\n]+)['"],\s*import\.meta\.url/g
  return [...text.matchAll(pattern)].map(([, type, imported, located]) => {
    const name = imported ?? located ?? ''
    const isType = type !== undefined
    if (!name.startsWith('.')) return { from: path, to: name, isType }
    const { pathname, search } = new URL(name, `file:///${path}`)
    return { from: path, to: pathname.slice(1) + search, isType }
  })
}

function layerOf(path: string): string | undefined {
  return Object.keys(layers).find((layer) => path.startsWith(`${layer}/`))
}

/** The place of a path among the rooms of a folder; -1 for what lies beside them. */
function roomOf(path: string, folder: string): number {
  return rooms[folder]!.findIndex((room) => path.startsWith(`${folder}/${room}/`))
}

/** Whether an import within a folder goes from a room to a later one, or to what lies beside them. */
function isBackward(from: string, to: string): boolean {
  return Object.keys(rooms).some((folder) => {
    if (!from.startsWith(`${folder}/`) || !to.startsWith(`${folder}/`)) return false
    const [source, target] = [roomOf(from, folder), roomOf(to, folder)]
    return source >= 0 && (target < 0 || target > source)
  })
}

function packageOf(name: string): string {
  return name.startsWith('node:') ? 'node' : (/^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name)
}

/** Whether an import goes where its layer may go. */
function isAllowed({ from, to, isType }: Import): boolean {
  const source = layerOf(from)
  if (source === undefined) return false
  const target = layerOf(to)
  if (target === undefined) return packages[packageOf(to)]?.includes(source) ?? true
  if (source === 'app' && target === 'src/engine') return engineDoors.includes(to)
  if (source === 'app' && target === 'src/bench' && !isType) return engineDoors.includes(to)
  if (isBackward(from, to)) return false
  if (isType && typesOnly[source]?.includes(target)) return true
  return target === source || layers[source]!.includes(target)
}

const imports = files.flatMap(importsOf)

describe('layers', () => {
  test('every source file belongs to a layer', () => {
    expect(files.length).toBeGreaterThan(0)
    const strays = files.filter(({ path }) => layerOf(path) === undefined && !path.endsWith('.d.ts'))
    expect(strays.map(({ path }) => path)).toEqual([])
  })

  test.each(Object.keys(layers))('%s imports only what lies below it', (layer) => {
    const wrong = imports.filter((entry) => layerOf(entry.from) === layer && !isAllowed(entry))
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  test.each(Object.keys(rooms))('every room of %s is there', (folder) => {
    const there = new Set(files.map(({ path }) => roomOf(path, folder)).filter((room) => room >= 0))
    expect(there).toEqual(new Set(rooms[folder]!.keys()))
  })

  test('no permission stands unused', () => {
    const permitted = Object.entries(layers).flatMap(([from, targets]) =>
      targets.map((to) => `${from} -> ${to}`),
    )
    const used = new Set(imports.map(({ from, to }) => `${layerOf(from)} -> ${layerOf(to)}`))
    expect(permitted.filter((one) => !used.has(one))).toEqual([])
  })

  test('a relative import names its file with the extension', () => {
    const bare = imports.filter(({ to }) => layerOf(to) !== undefined && !/\.\w+(?:\?|$)/.test(to))
    expect(bare.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  test('kernel text lies in shaders/, not in TypeScript', () => {
    const wgsl = /@compute\b|@workgroup_size\b|@group\(|var<(?:storage|uniform|workgroup)\b/
    const carriers = files.filter(({ text }) => wgsl.test(withoutComments(text)))
    expect(carriers.map(({ path }) => path)).toEqual([])
  })
})

test('only the device itself asks for a driver’s name, and the report that is shown', () => {
  const asking = files.filter(({ text }) => /\badapterInfo\b|\bisSoftware\(/.test(withoutComments(text)))
  expect(asking.map(({ path }) => path).toSorted()).toEqual([
    'src/engine/deviceReport.ts',
    'src/gpu/device.ts',
  ])
})

describe('the state of the page', () => {
  const stores = files.filter(({ path }) => path.startsWith('app/stores/'))

  test('lies in its six rooms, without components', () => {
    expect(stores.filter(({ path }) => roomOf(path, 'app/stores') < 0 || path.endsWith('.tsx'))).toEqual([])
  })

  test('says in the first line how long it lasts, or that there is none', () => {
    const silent = stores.filter(({ text }) => {
      const [first = ''] = text.split('\n')
      const isStore = /\bcreate<\w+>\(\)/.test(text)
      return !(isStore ? /^\/\/ Scope: (?:live|session|document)\. / : /^\/\/ .*\bno state\b/i).test(first)
    })
    expect(silent.map(({ path }) => path)).toEqual([])
  })
})

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

/** What of the exported names stands for more than one thing; a component may bear the name of what it shows. */
function ambiguousNames(modules: readonly { readonly path: string; readonly text: string }[]): string[] {
  const declared = /^export (?:async )?(?:function\*?|const|let|type|interface|class) (\w+)/gm
  const places = new Map<string, Set<string>>()
  for (const { path, text } of modules) {
    for (const [, name = ''] of text.matchAll(declared)) {
      const isComponent = path.endsWith('.tsx') && /^[A-Z]/.test(name)
      const key = isComponent ? `<${name}>` : name
      places.set(key, (places.get(key) ?? new Set()).add(path))
    }
  }
  return [...places]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name}: ${[...paths].join(', ')}`)
}

describe('an exported name', () => {
  test('stands for one thing', () => {
    // Catalogues have their words under one name, which `app/words/catalogue.ts` asks for.
    const named = files.filter(({ path }) => !/^app\/words\/(?:en|zh)\//.test(path))
    expect(ambiguousNames(named)).toEqual([])
  })

  test('is found twice where it is', () => {
    const twice = [
      { path: 'src/a/one.ts', text: 'export type Face = 1\nexport const face = 1' },
      { path: 'src/b/two.ts', text: 'export interface Face {}' },
      { path: 'app/Face.tsx', text: 'export function Face() {}' },
    ]
    expect(ambiguousNames(twice)).toEqual(['Face: src/a/one.ts, src/b/two.ts'])
  })
})

describe('the layer rules', () => {
  const cases = [
    ['src/model/a.ts', "import { a } from '../train/a.ts'", false],
    ['src/model/a.ts', "export { a } from '../kernels/a.ts'", true],
    ['src/model/a.ts', "import code from '../../shaders/a.wgsl?raw'", false],
    ['src/formats/a.ts', "import type { A } from '../model/a.ts'", false],
    ['src/storage/a.ts', "import '../formats/a.ts'", true],
    ['app/a.tsx', "import { a } from '../src/engine/client.ts'", true],
    ['app/a.tsx', "import url from '../src/engine/worker.ts?worker&url'", true],
    ['app/a.tsx', "import { a } from '../src/engine/worker.ts'", false],
    ['app/a.tsx', "const { a } = await import('../src/model/a.ts')", false],
    ['app/a.tsx', "new Worker(new URL('../src/engine/engine.ts', import.meta.url))", false],
    ['app/a.tsx', "import type { A } from '../src/formats/a.ts'", true],
    ['app/a.tsx', "import { a } from '../src/formats/a.ts'", false],
    ['app/chat/A.tsx', "import { a } from '../stores/exchange/a.ts'", true],
    ['app/stores/teach/a.ts', "import { a } from '../company/a.ts'", true],
    ['app/stores/teach/a.ts', "import { a } from './b.ts'", true],
    ['app/stores/teach/a.ts', "import type { A } from '../chat/a.ts'", false],
    ['app/stores/exchange/a.ts', "import { A } from '../../share/A.tsx'", false],
    ['app/stores/page/a.ts', "import { a } from '../../a.ts'", false],
    ['app/shared/A.tsx', "import { B } from '../chat/B.tsx'", false],
    ['app/teach/plan/A.tsx', "import { B } from '../TeachScreen.tsx'", false],
    ['src/model/graph/a.ts', "import { a } from '../decoder/b.ts'", true],
    ['src/model/decoder/a.ts', "import { a } from '../gpu/b.ts'", false],
    ['src/model/gpu/a.ts', "import type { A } from '../chatModel.ts'", false],
    ['src/model/chatModel.ts', "import { a } from './gpu/b.ts'", true],
    ['src/train/data/a.ts', "import { a } from '../run/b.ts'", false],
    ['src/cli/a.ts', "import { a } from '../../app/a.ts'", false],
    ['src/engine/a.ts', "import { create } from 'zustand'", false],
    ['src/core/a.ts', "import { readFile } from 'node:fs/promises'", false],
  ] as const

  test.each(cases)('%s: %s -> %s', (path, text, expected) => {
    expect(importsOf({ path, text }).map(isAllowed)).toEqual([expected])
  })
})

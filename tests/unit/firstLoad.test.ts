import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'

import { build } from 'vite'
import type { Rolldown } from 'vite'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

/**
 * What the page's first load may weigh on the way, compressed, in thousands of bytes: what `index.html` asks for, and the
 * engine's worker, which begins with it. Whoever needs more says so here.
 */
const BUDGET_KB = { script: 190, style: 9, worker: 197 }

let output: Rolldown.RolldownOutput['output']

beforeAll(async () => {
  // As it is published: React has another build for tests.
  vi.stubEnv('NODE_ENV', 'production')
  const root = resolve(import.meta.dirname, '../..')
  const built = await build({ root, logLevel: 'silent', publicDir: false, build: { write: false } })
  if (!('output' in built)) throw new Error('the build gave no output')
  ;({ output } = built)
}, 300_000)
afterAll(() => {
  vi.unstubAllEnvs()
})

/** Thousands of bytes of texts, compressed. */
function weightOf(texts: readonly (string | Uint8Array)[]): number {
  return texts.reduce((sum, text) => sum + gzipSync(text).length, 0) / 1000
}

/** The entry's script with all that it imports before it runs. */
function scripts(): Rolldown.OutputChunk[] {
  const chunks = new Map(output.flatMap((part) => (part.type === 'chunk' ? [[part.fileName, part]] : [])))
  const wanted = new Set(
    [...chunks.values()].filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName),
  )
  for (const name of wanted) for (const imported of chunks.get(name)?.imports ?? []) wanted.add(imported)
  return [...wanted].flatMap((name) => chunks.get(name) ?? [])
}

/** The style sheets of those scripts. */
function styles(): (string | Uint8Array)[] {
  const names = new Set(scripts().flatMap(({ viteMetadata }) => [...(viteMetadata?.importedCss ?? [])]))
  return output.flatMap((part) => (part.type === 'asset' && names.has(part.fileName) ? [part.source] : []))
}

/** The sources of assets by the pattern of their names. */
function assets(pattern: RegExp): (string | Uint8Array)[] {
  return output.flatMap((part) => (part.type === 'asset' && pattern.test(part.fileName) ? [part.source] : []))
}

test('the first load weighs no more than it may', () => {
  const weights = {
    script: weightOf(scripts().map(({ code }) => code)),
    style: weightOf(styles()),
    worker: weightOf(assets(/\/worker-[^/]*\.js$/)),
  }
  for (const name of ['script', 'style', 'worker'] as const) {
    expect(weights[name], `${name} in KB`).toBeGreaterThan(1)
    expect(weights[name], `${name} in KB`).toBeLessThanOrEqual(BUDGET_KB[name])
  }
})

/** Who reads files of strangers and of other programs, and what opens archives and pictures for them. */
const READERS = ['backup', 'cardArchive', 'cardFile', 'cardPng', 'cardRecord', 'charx', 'chatFile', 'exif']
const OPENERS = ['otherCharacters', 'png', 'zip']

test('no reader of strangers’ files comes with the first load', () => {
  const loaded = scripts().flatMap(({ modules }) =>
    Object.entries(modules).flatMap(([path, { renderedLength }]) => (renderedLength > 0 ? [path] : [])),
  )
  const formats = loaded.flatMap((path) => /src\/formats\/(\w+)\.ts$/.exec(path)?.[1] ?? [])
  expect(formats).toContain('card')
  expect(formats.filter((name) => READERS.includes(name) || OPENERS.includes(name))).toEqual([])
})

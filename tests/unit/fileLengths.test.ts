import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const MOST_LINES = 400

function lengthOf(path: string): number {
  return readFileSync(join(root, path), 'utf8').trimEnd().split('\n').length
}

test('a file of code has at most 400 lines', () => {
  const paths = ['app', 'src', 'shaders', 'tools', 'tests', 'scale'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  )
  const code = paths.filter((path) => /\.(?:tsx?|mjs|wgsl|css|py)$/.test(path))
  expect(code.length).toBeGreaterThan(500)
  const long = code.filter((path) => lengthOf(path) > MOST_LINES)
  expect(long).toEqual([])
})

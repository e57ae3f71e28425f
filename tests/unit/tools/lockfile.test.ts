import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { root } from '../../../tools/install.mjs'

interface Entry {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const lockfile: { readonly packages: Readonly<Record<string, Entry>> } = JSON.parse(
  readFileSync(join(root, 'package-lock.json'), 'utf8'),
)
const { packages } = lockfile

/** Where Node would find `name` from the package at `path`. */
function isResolved(path: string, name: string): boolean {
  const parts = path.split('/node_modules/')
  const folders = ['', ...parts.map((_, index) => `${parts.slice(0, index + 1).join('/node_modules/')}/`)]
  return folders.some((folder) => `${folder}node_modules/${name}` in packages)
}

test('the lockfile has the packages of every platform, without which npm ci refuses it', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isResolved(path, name)),
  )
  expect(missing).toEqual([])
})

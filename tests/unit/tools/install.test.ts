import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeEach, describe, expect, test } from 'vitest'

import { ensureBuilt, isInstalled, isLocked } from '../../../tools/install.mjs'

describe('isLocked', () => {
  const manifest = { dependencies: { b: '2', a: '1' }, devDependencies: { c: '3' } }

  test('holds in any order of the packages', () => {
    const root = { dependencies: { a: '1', b: '2' }, devDependencies: { c: '3' } }
    expect(isLocked(manifest, { packages: { '': root } })).toBe(true)
  })

  test.each([
    ['another version', { dependencies: { a: '1', b: '3' }, devDependencies: { c: '3' } }],
    ['one package less', { dependencies: { a: '1' }, devDependencies: { c: '3' } }],
    ['one package more', { dependencies: { a: '1', b: '2', d: '4' }, devDependencies: { c: '3' } }],
    ['no packages', {}],
  ])('fails for %s', (_name, root) => {
    expect(isLocked(manifest, { packages: { '': root } })).toBe(false)
  })

  test('fails without a lockfile', () => {
    expect(isLocked(manifest, {})).toBe(false)
  })
})

describe('isInstalled', () => {
  const lockfile = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '2.0.0', optional: true },
    },
  }

  test('holds with and without the optional packages of other platforms', () => {
    expect(isInstalled(lockfile, { packages: { 'node_modules/a': { version: '1.0.0' } } })).toBe(true)
    expect(isInstalled(lockfile, lockfile)).toBe(true)
  })

  test.each([
    ['a missing package', {}],
    ['another version', { 'node_modules/a': { version: '1.0.1' } }],
    [
      'another version of an optional one',
      { 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '1.0.0' } },
    ],
  ])('fails for %s', (_name, packages) => {
    expect(isInstalled(lockfile, { packages })).toBe(false)
  })

  test('fails where npm has left no record', () => {
    expect(isInstalled(lockfile, {})).toBe(false)
  })
})

describe('ensureBuilt', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hycora-built-'))
  const source = join(folder, 'source')
  const what = { stamp: join(folder, 'stamp'), sources: [source], product: join(folder, 'product') }
  let builds = 0
  const build = async (): Promise<void> => {
    builds++
    writeFileSync(what.product, '')
  }

  beforeEach(() => {
    for (const path of [source, what.stamp, what.product]) rmSync(path, { recursive: true, force: true })
    mkdirSync(join(source, 'below'), { recursive: true })
    writeFileSync(join(source, 'below', 'a.ts'), 'a')
    builds = 0
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('builds once as long as nothing changes', async () => {
    await ensureBuilt(what, build)
    await ensureBuilt(what, build)
    expect(builds).toBe(1)
  })

  test.each([
    ['a file changes', () => writeFileSync(join(source, 'below', 'a.ts'), 'ab')],
    ['a file is as long but newer', () => utimesSync(join(source, 'below', 'a.ts'), 1, 1)],
    ['a file is added', () => writeFileSync(join(source, 'b.ts'), '')],
    ['a file is removed', () => rmSync(join(source, 'below', 'a.ts'))],
    ['the product is gone', () => rmSync(what.product)],
  ])('builds again when %s', async (_name, change) => {
    await ensureBuilt(what, build)
    change()
    await ensureBuilt(what, build)
    expect(builds).toBe(2)
  })

  test('builds again after a build that failed half-way', async () => {
    await ensureBuilt(what, build)
    writeFileSync(join(source, 'below', 'a.ts'), 'broken')
    const failing = ensureBuilt(what, () => Promise.reject(new Error('half-way')))
    await expect(failing).rejects.toThrow('half-way')
    await ensureBuilt(what, build)
    expect(builds).toBe(2)
  })
})

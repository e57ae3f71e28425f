import { execFileSync } from 'node:child_process'

import { expect, test } from 'vitest'

/* Every kernel through a second front end: naga, which is Firefox's; the first, Dawn's Tint, is what all other tests use. */

const python = process.env['HYCORA_PYTHON'] || 'python3'
const script = new URL('../support/naga.py', import.meta.url).pathname

/** Whether the Python at hand has `wgpu`, which has naga in it; without it the tests are skipped, and counted so. */
function hasNaga(): boolean {
  try {
    execFileSync(python, ['-c', 'import wgpu'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const shaders = import.meta.glob<string>('../../shaders/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** Firefox has the kernels without features for whoever lacks those. */
const plain = Object.entries(shaders).filter(([, code]) => !/^enable /m.test(code))

/** What wrappers ask for where it is not the default. */
const VALUES: Readonly<Record<string, readonly (number | boolean)[]>> = {
  FORMAT: [0, 1, 2, 4, 8],
  HALF_SCALES: [false, true],
  GELU: [false, true],
  HALVES: [false, true],
  ZEROS: [0, 1, 2],
  ADD: [false, true],
  NORM: [false, true],
  ACCUMULATE: [false, true],
  ALIGNED: [false, true],
  FROM_BITS: [4, 8, 16, 32],
  TO_BITS: [4, 8, 16, 32],
  LANES: [2, 8],
  SLICES: [8, 32],
  ROWS: [1, 2],
  WORKGROUP_SIZE: [32, 64, 128, 256],
}

const OVERRIDE = /^override (\w+): (\w+)(?: = [^;]+)?;/gm

/** A kernel as it is for each of the values of its overrides. */
function variants(name: string, code: string): [string, string][] {
  return [...code.matchAll(OVERRIDE)].reduce<[string, string][]>(
    (made, [line, constant = '', type = '']) =>
      made.flatMap(([label, text]) =>
        (VALUES[constant] ?? []).map((value): [string, string] => {
          const literal = typeof value === 'number' && type === 'u32' ? `${value}u` : String(value)
          return [
            `${label} ${constant}=${value}`,
            text.replace(line, `const ${constant}: ${type} = ${literal};`),
          ]
        }),
      ),
    [[name, code]],
  )
}

const kernels = plain.flatMap(([path, code]) => variants(path.replace(/^.*\//, ''), code))

test('each of its overrides has values here, so that every kernel is tried', () => {
  const tried = new Set(kernels.map(([label]) => label.split(' ')[0]))
  expect(tried.size).toBe(plain.length)
})

test.skipIf(!hasNaga())('naga takes every kernel with all that wrappers ask for', () => {
  const input = JSON.stringify(Object.fromEntries(kernels))
  const output = execFileSync(python, [script], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
  expect(JSON.parse(output)).toEqual({})
  // What it would refuse is told.
  const broken = JSON.stringify({ broken: 'fn f() -> u32 { return 1.5; }' })
  expect(JSON.parse(execFileSync(python, [script], { input: broken, encoding: 'utf8' }))).toHaveProperty(
    'broken',
  )
})

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { root } from '../../../tools/install.mjs'
import { applyFault, sumUp, verdictOf } from '../../../tools/mutants/verdict.mjs'

interface Fault {
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly test: string
  readonly why: string
}

const faults = JSON.parse(readFileSync(join(root, 'tests/mutants.json'), 'utf8')) as readonly Fault[]

describe('the list of faults', () => {
  test('is long enough to mean something, and has none twice', () => {
    expect(faults.length).toBeGreaterThanOrEqual(40)
    expect(new Set(faults.map(({ file, find, replace }) => [file, find, replace].join('\0'))).size).toBe(
      faults.length,
    )
  })

  test.each(faults)('$file: $why', ({ file, find, replace, test: path, why }) => {
    const text = readFileSync(join(root, file), 'utf8')
    const faulty = applyFault(text, { find, replace })
    // Undefined where the text does not stand in the file exactly once.
    expect(faulty).toBeDefined()
    expect(faulty).not.toBe(text)
    expect(existsSync(join(root, path))).toBe(true)
    expect(path).toMatch(/^tests\/(?:unit|gpu)\/.*\.test\.tsx?$/)
    expect(why).toMatch(/^[A-Z0-9α`].*\.$/u)
  })
})

describe('a fault', () => {
  test('takes the place of its text, whatever that looks like', () => {
    expect(applyFault('a $& b', { find: '$&', replace: '$1$$' })).toBe('a $1$$ b')
    expect(applyFault('one', { find: 'two', replace: '' })).toBeUndefined()
    expect(applyFault('one one', { find: 'one', replace: 'two' })).toBeUndefined()
  })

  test('is noticed by a test file that fails, ends badly or does not end', () => {
    expect(verdictOf({ numPassedTests: 3, numFailedTests: 1 }, 1)).toBe('red')
    expect(verdictOf(undefined, null)).toBe('red')
    expect(verdictOf(undefined, 0)).toBe('red')
    expect(verdictOf({ numPassedTests: 4 }, 0)).toBe('green')
    expect(verdictOf({ numPassedTests: 0 }, 0)).toBe('nothing')
  })

  test('counts once', () => {
    expect(sumUp({ caught: 40, missed: 1, 'not run': 2 })).toBe('40 caught, 1 missed, 2 not run')
  })
})

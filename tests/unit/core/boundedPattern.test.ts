import { describe, expect, test } from 'vitest'

import { compilePattern } from '../../../src/core/boundedPattern.ts'
import { Random } from '../../../src/core/random.ts'

const plenty = (): { steps: number } => ({ steps: 2 ** 24 })

const TEXTS = [
  '',
  'The dragon sleeps.',
  'dragons\nDragon\r\nDRAGON',
  'a aa aaa b',
  'café ſ K 😀 x',
  '\u0001Mira: hello\u0001Orla: goodbye',
  'a1_b-2',
  '雪の城',
]

const PATTERNS: readonly (readonly [source: string, flags?: string])[] = [
  ['dragon'],
  ['^dragon', 'im'],
  ['dragon$', 'gi'],
  ['\\bdragons?\\b', 'i'],
  ['\\Brag\\B'],
  ['a{2}'],
  ['a{2,}b?'],
  ['^a{0,2}$', 'm'],
  ['(?:a|b)+ (?<name>a+)'],
  ['[^a-z\\s]{2}'],
  ['[\\d_]-[]]?'],
  ['[^]dragon'],
  ['[]'],
  ['.$', 'su'],
  ['^.{1,3}$', 'su'],
  ['\\u{1F600}', 'u'],
  ['\\ud83d\\ude00', 'u'],
  ['\\ud83d'],
  ['\\u0001Mira:[^\\x01]*?hello'],
  ['\\p{Lu}', 'u'],
  ['\\p{Script=Han}の', 'u'],
  ['k', 'iu'],
  ['\\bK\\b', 'iu'],
  ['ſ', 'iu'],
  ['(?=.*dragon)(?=.*sleeps)', 's'],
  ['(?<!the )dragon', 'i'],
  ['(?<=The )dragon'],
  ['(?<=a(?=1))_'],
  ['(?!\\w)', 'y'],
  ['aa', 'y'],
  ['|x'],
  ['(a*)*c'],
  ['(?:)*'],
  ['x{,2}'],
  ['{a}'],
  ['a\\/?1'],
  ['\\07?a', ''],
  ['\\cA'],
  ['(?:a?){3}1'],
]

describe('a bounded pattern', () => {
  test.each(PATTERNS.map(([source, flags = '']) => [source, flags] as const))(
    '/%s/%s matches where RegExp does',
    (source, flags) => {
      const pattern = compilePattern(source, flags)
      for (const text of TEXTS) {
        const found = pattern.test(text, plenty())
        expect({ text, found }).toEqual({ text, found: new RegExp(source, flags).test(text) })
      }
    },
  )

  test('matches where RegExp does, whatever is drawn', () => {
    const random = new Random(7)
    const pick = <T>(from: readonly T[]): T => from[random.nextBelow(from.length)]!
    const draw = (depth: number): string => {
      const atoms = ['a', 'b', '.', '[ab]', '[^a]', '\\w', '\\s', '^', '$', '\\b', '\\B']
      if (depth === 0) return pick(atoms)
      const inner = (): string => draw(depth - 1)
      const forms = [
        () => inner() + inner(),
        () => `(${inner()}|${inner()})`,
        () => `(?:${inner()})${pick(['*', '+', '?', '{2}', '{1,2}', '*?'])}`,
        () => `(?${pick(['=', '!', '<=', '<!'])}${inner()})`,
        () => pick(atoms),
      ]
      return pick(forms)()
    }
    let matched = 0
    for (let round = 0; round < 3000; round++) {
      const [source, flags] = [draw(4), pick(['', 'i', 'm', 's', 'u', 'imu'])]
      const text = Array.from({ length: random.nextBelow(8) }, () => pick(['a', 'b', 'A', ' ', '\n'])).join(
        '',
      )
      const expected = new RegExp(source, flags).test(text)
      matched += Number(expected)
      expect(compilePattern(source, flags).test(text, plenty()), `/${source}/${flags} ${text}`).toBe(expected)
    }
    expect(matched).toBeGreaterThan(500)
    expect(matched).toBeLessThan(2900)
  })

  test.each([
    ['nested loops', '(a+)+$'],
    ['two ways to say the same', '^(a|a)*$'],
    ['ways that overlap', '^(a|aa)+$'],
    ['a loop counted', '(.*a){20}$'],
    ['a loop looked ahead to', '(?=(a+)+$)b'],
    ['as many that may as must be', `^${'a?'.repeat(300)}${'a'.repeat(300)}b`],
  ])('takes a bounded number of steps of %s, which RegExp would try for ever', (_, source) => {
    const allowance = { steps: 2 ** 21 }
    const text = `${'a'.repeat(4000)}!`
    expect(compilePattern(source).test(text, allowance)).toBe(false)
    expect(allowance.steps).toBeGreaterThan(-text.length)
  })

  test('is spent with its allowance', () => {
    const allowance = { steps: 10_000 }
    const pattern = compilePattern('(?=.*x)(?=.*y)z')
    expect(pattern.test('a'.repeat(4000), allowance)).toBe(false)
    expect(allowance.steps).toBeLessThanOrEqual(0)
    expect(pattern.test('xyz', allowance)).toBe(false)
  })

  test.each([
    ['an open group', '(', '', 'format-invalid'],
    ['a flag that is none', 'a', 'qq', 'format-invalid'],
    ['a number of a group', '(a)\\1', '', 'format-unsupported'],
    ['a name of a group', '(?<n>a)\\k<n>', '', 'format-unsupported'],
    ['sets of characters', '[a--b]', 'v', 'format-unsupported'],
    ['a large count', 'a{5000}', '', 'format-unsupported'],
    ['counts of counts', '((a{90}){90}){90}', '', 'format-unsupported'],
    ['many groups', `${'('.repeat(100)}a${')'.repeat(100)}`, '', 'format-unsupported'],
    ['a long one', 'a'.repeat(3000), '', 'format-unsupported'],
  ])('is not made of a pattern with %s', (_, source, flags, code) => {
    expect(() => compilePattern(source, flags)).toThrow(expect.objectContaining({ code }))
  })
})

import { describe, expect, test } from 'vitest'
import { colourOf, contrastOf, hexOf, luminanceOf, mixColours } from '../../../src/cast/portrait/colour.ts'
import { portraitAccent, portraitSvg } from '../../../src/cast/portrait/portrait.ts'
import { Random } from '../../../src/core/random.ts'
import { TRAITS, faceTraits } from '../../../src/cast/portrait/traits.ts'

function vectorOf(seed: number, length = 64): Float32Array {
  const random = new Random(seed)
  return Float32Array.from({ length }, () => random.nextNormal())
}

const seeds = Array.from({ length: 60 }, (_, i) => i)

/** Elements that are properly nested, or null where a tag does not close. */
function elementsOf(svg: string): string[] | null {
  const names: string[] = []
  const open: string[] = []
  for (const [, slash, name = '', empty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (slash) {
      if (open.pop() !== name) return null
      continue
    }
    names.push(name)
    if (!empty) open.push(name)
  }
  return open.length === 0 ? names : null
}

/** Numbers of the attributes by element, colours left out. */
function numbersOf(svg: string): number[] {
  return (svg.replace(/#[0-9a-f]{6}/g, '').match(/-?\d+(\.\d+)?/g) ?? []).map(Number)
}

describe('portraitSvg', () => {
  test('draws the same face for the same vector, whatever its scale', () => {
    const vector = vectorOf(1)
    expect(portraitSvg(vector)).toBe(portraitSvg(vector.slice()))
    expect(portraitSvg(vector.map((x) => 4 * x))).toBe(portraitSvg(vector))
  })

  test('draws different faces for different vectors', () => {
    expect(new Set(seeds.map((seed) => portraitSvg(vectorOf(seed)))).size).toBe(seeds.length)
  })

  test.each([8, 31, 64, 256])(
    'is a small, well-formed document of flat shapes for a vector of %i',
    (length) => {
      for (const seed of seeds) {
        const svg = portraitSvg(vectorOf(seed, length))
        expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="0 0 320 400">/)
        expect(svg.length).toBeLessThan(16 * 1024)
        expect(svg).not.toMatch(/NaN|Infinity|undefined|e-\d/)
        const elements = elementsOf(svg)
        expect(elements).not.toBeNull()
        expect(new Set(elements)).toEqual(
          new Set(elements!.filter((name) => /^(svg|g|path|circle)$/.test(name))),
        )
      }
    },
  )

  test('moves little when the vector moves little', () => {
    let compared = 0
    for (const seed of seeds) {
      const vector = vectorOf(seed)
      const nudge = vectorOf(seed + 1000)
      const near = vector.map((x, i) => x + 1e-3 * nudge[i]!)
      const [before, after] = [numbersOf(portraitSvg(vector)), numbersOf(portraitSvg(near))]
      // Where a feature begins at size zero, the lists differ in length.
      if (before.length !== after.length) continue
      compared++
      expect(Math.max(...before.map((x, i) => Math.abs(x - after[i]!)))).toBeLessThan(2)
    }
    expect(compared).toBeGreaterThan(0.9 * seeds.length)
  })

  test('has no jump on the way from one role to another', () => {
    const [from, to] = [vectorOf(3), vectorOf(4)]
    const steps = 400
    let previous = faceTraits(from)
    for (let step = 1; step <= steps; step++) {
      const amount = step / steps
      const traits = faceTraits(from.map((x, i) => x * (1 - amount) + to[i]! * amount))
      for (const trait of TRAITS) expect(Math.abs(traits[trait] - previous[trait])).toBeLessThan(0.02)
      previous = traits
    }
  })

  test('takes the field from a given accent and refuses anything else', () => {
    expect(portraitSvg(vectorOf(5), { accent: '#b23a31' })).toContain(
      '<path d="M0 0H320V400H0Z" fill="#b23a31"/>',
    )
    expect(() => portraitSvg(vectorOf(5), { accent: '"/><script>' })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    )
  })

  test('refuses a vector that is too short and draws one of zeros', () => {
    expect(() => portraitSvg(new Float32Array(7))).toThrow(expect.objectContaining({ code: 'usage' }))
    expect(elementsOf(portraitSvg(new Float32Array(8)))).not.toBeNull()
  })
})

describe('traitsOf', () => {
  test('fills [0, 1] evenly for random vectors', () => {
    const samples = Array.from({ length: 1500 }, (_, i) => faceTraits(vectorOf(i)))
    for (const trait of TRAITS) {
      const values = samples.map((traits) => traits[trait])
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length
      const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)
      expect(mean).toBeCloseTo(0.5, 1)
      expect(Math.abs(spread - 1 / Math.sqrt(12))).toBeLessThan(0.06)
    }
  })
})

describe('portraitAccent', () => {
  test('is readable as text on both papers', () => {
    for (const seed of seeds) {
      const { light, dark } = portraitAccent(vectorOf(seed))
      expect(contrastOf(light, '#faf8f4')).toBeGreaterThanOrEqual(4.5)
      expect(contrastOf(dark, '#171512')).toBeGreaterThanOrEqual(4.5)
    }
  })
})

describe('colours', () => {
  test('agree with the reference values of OKLab and WCAG', () => {
    expect(hexOf({ lightness: 1, a: 0, b: 0 })).toBe('#ffffff')
    expect(hexOf({ lightness: 0.627955, a: 0.224863, b: 0.125846 })).toBe('#ff0000')
    expect(hexOf(mixColours(colourOf(0, 0, 0), colourOf(1, 0, 0), 0))).toBe('#000000')
    expect(luminanceOf('#ffffff')).toBeCloseTo(1, 6)
    expect(contrastOf('#000000', '#ffffff')).toBeCloseTo(21, 6)
    expect(contrastOf('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
  })
})

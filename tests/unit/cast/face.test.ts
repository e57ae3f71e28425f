import { describe, expect, test } from 'vitest'

import { drawingOf, faceOf, faceVector, withDrawing } from '../../../src/cast/face.ts'
import { readCard } from '../../../src/formats/card.ts'

const SVG = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg"/>')}`
const OTHER = `data:image/svg+xml;base64,PHN2Zy8+`

/** A card with icons at these addresses, by name. */
function withIcons(...icons: readonly (readonly [name: string, uri: string])[]) {
  return readCard({
    name: 'Ada',
    assets: icons.map(([name, uri]) => ({ type: 'icon', uri, name, ext: 'svg' })),
  })
}

describe('the drawing in a card', () => {
  test('is the icon called main, else the first', () => {
    expect(drawingOf(withIcons(['side', OTHER], ['main', SVG]))).toBe(SVG)
    expect(drawingOf(withIcons(['side', OTHER], ['back', SVG]))).toBe(OTHER)
  })

  test('is nothing else', () => {
    expect(drawingOf(readCard({ name: 'Ada' }))).toBeNull()
    expect(drawingOf(withIcons(['main', 'https://example.org/a.svg']))).toBeNull()
    expect(drawingOf(withIcons(['main', 'data:text/html,<b>']))).toBeNull()
    expect(drawingOf(withIcons(['main', SVG + ' '.repeat(2 ** 14)]))).toBeNull()
  })

  test('is put in where there is no icon, and leaves one that is there alone', () => {
    const drawn = withDrawing({ name: 'Ada', own: 1, assets: [{ type: 'sound', uri: 'x' }] }, SVG)
    expect(drawn).toMatchObject({ own: 1, assets: [{ type: 'icon', uri: SVG }, { type: 'sound' }] })
    expect(withDrawing(drawn, OTHER)).toBe(drawn)
  })
})

describe('a face', () => {
  const vector = Float32Array.from({ length: 32 }, (_, at) => Math.sin(at))

  test('is drawn from a vector that is long enough', () => {
    expect(faceOf(vector)?.portrait).toContain('data:image/svg+xml,')
    expect(faceOf(vector.subarray(0, 7))).toBeNull()
  })

  test('of a blend is drawn from the mix of its parents', () => {
    const roles = [
      { name: 'A', vector: Float32Array.of(1, 2) },
      { name: 'B', vector: Float32Array.of(4, 8) },
    ]
    const blend = [
      { role: 'A', weight: 0.5 },
      { role: 'B', weight: -0.25 },
    ]
    expect([...faceVector(roles, { vector: new Float32Array(0), blend })]).toEqual([-0.5, -1])
  })
})

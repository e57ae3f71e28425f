import type { RotarySource, StoredTensor } from './decoder.ts'
import { readVector } from './dequantise.ts'

function floats(values: StoredTensor): Promise<Float32Array> {
  const length = values.shape.reduce((product, size) => product * size, 1)
  return readVector({ values, first: 0, length })
}

/**
 * Cosine and sine of every rotary angle: `angle[p, i] = p · θ^(−2i / dim)`, computed in f64, or the graph's own tables.
 *
 * Reference: Su et al., "RoFormer", 2021, §3.2.2.
 *
 * @param dim how many dimensions of a head are rotated.
 * @returns [positions, dim / 2, 2] cos, sin.
 */
export async function rotaryAngles(
  source: RotarySource,
  positions: number,
  dim: number,
): Promise<Float32Array<ArrayBuffer>> {
  const half = dim / 2
  const angles = new Float32Array(positions * half * 2)
  if (source.kind === 'tables') {
    const [cos, sin] = await Promise.all([floats(source.cos), floats(source.sin)])
    for (let i = 0; i < positions * half; i++) {
      angles[2 * i] = cos[i] ?? 0
      angles[2 * i + 1] = sin[i] ?? 0
    }
    return angles
  }
  for (let i = 0; i < half; i++) {
    const frequency = source.theta ** ((-2 * i) / dim)
    for (let p = 0; p < positions; p++) {
      angles[2 * (p * half + i)] = Math.cos(p * frequency)
      angles[2 * (p * half + i) + 1] = Math.sin(p * frequency)
    }
  }
  return angles
}

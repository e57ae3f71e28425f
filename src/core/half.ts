const scratch = new DataView(new ArrayBuffer(4))

/** The float32 value of an IEEE 754 half given by its 16 bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The 16 bits of the half nearest to `value`, ties to even; overflow becomes infinity. */
export function floatToHalf(value: number): number {
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude >= 0x7f800000) return sign | 0x7c00 | (magnitude > 0x7f800000 ? 0x200 : 0)
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    const units = Math.abs(value) * 2 ** 24
    const floor = Math.floor(units)
    const rest = units - floor
    return sign | (floor + (rest > 0.5 || (rest === 0.5 && floor & 1) ? 1 : 0))
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

/** Values as halves, two to a word, the last padded with zero. */
export function packHalves(values: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const halves = new Uint16Array(2 * Math.ceil(values.length / 2))
  for (let i = 0; i < values.length; i++) halves[i] = floatToHalf(values[i] ?? 0)
  return new Uint32Array(halves.buffer)
}

/** What a half's exponent and fraction, moved to their places in a float32, are short of. */
const WIDENING = 2 ** 112

/** Widens halves (as their bits) to float32, all of them in one loop without branches but for what is not finite. */
export function halvesToFloats(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(halves.length)
  const words = new Uint32Array(floats.buffer)
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] ?? 0
    words[i] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13)
    if ((half & 0x7c00) === 0x7c00) words[i] = (words[i] ?? 0) | 0x7f800000
    else floats[i] = (floats[i] ?? 0) * WIDENING
  }
  return floats
}

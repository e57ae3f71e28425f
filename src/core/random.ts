/**
 * A number's hash, the same as on the GPU.
 *
 * Reference: O'Neill 2014; the hash form of Jarzynski & Olano 2020.
 */
function pcg(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0
  return ((word >>> 22) ^ word) >>> 0
}

/** Uniform in [0, 1), the same for the same seed and position wherever it is drawn. */
export function uniformAt(seed: number, position: number): number {
  return (pcg((seed + pcg(position)) >>> 0) >>> 8) / 2 ** 24
}

/**
 * PCG32: the only source of randomness in `src` and `tests`.
 *
 * Reference: O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms", 2014.
 */
export class Random {
  private state: bigint
  private readonly increment: bigint

  constructor(seed: number, stream = 0) {
    this.increment = (BigInt(stream) << 1n) | 1n
    this.state = 0n
    this.nextU32()
    this.state = BigInt.asUintN(64, this.state + BigInt(seed))
    this.nextU32()
  }

  /** A uniform integer in [0, 2³²). */
  nextU32(): number {
    const old = this.state
    this.state = BigInt.asUintN(64, old * 6364136223846793005n + this.increment)
    const shifted = Number(BigInt.asUintN(32, ((old >> 18n) ^ old) >> 27n))
    const rotation = Number(old >> 59n)
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0
  }

  /** A uniform number in [0, 1). */
  nextUniform(): number {
    return this.nextU32() / 2 ** 32
  }

  /** A uniform integer in [0, bound). */
  nextBelow(bound: number): number {
    return Math.floor(this.nextUniform() * bound)
  }

  /** A standard normal number (Box–Muller). */
  nextNormal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.nextUniform()))
    return radius * Math.cos(2 * Math.PI * this.nextUniform())
  }
}

/** A seed from any text: the same text gives the same seed (FNV-1a, 32 bits). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

interface Sizes {
  readonly rows: number
  readonly inner: number
  readonly columns: number
}

interface Options {
  /** The layer's output where it ends in a ReLU. */
  readonly gate?: ArrayLike<number>
  readonly scale?: number
}

/** `g[r, o] = scale·dy[r, o]`, 0 where the ReLU is off. */
function through(dy: ArrayLike<number>, { gate, scale = 1 }: Options): Float64Array {
  return Float64Array.from(dy, (value, i) => (gate && gate[i]! <= 0 ? 0 : scale * value))
}

/** Gradient of `y = scale·act(x·Wᵀ + b)` with respect to x: `dx[r, i] = Σ_o g[r, o]·W[o, i]`. */
export function linearBackwardInputReference(
  dy: ArrayLike<number>,
  weight: ArrayLike<number>,
  { rows, inner, columns }: Sizes,
  options: Options = {},
): Float64Array {
  const g = through(dy, options)
  const dx = new Float64Array(rows * inner)
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < columns; o++) {
      for (let i = 0; i < inner; i++) dx[r * inner + i]! += g[r * columns + o]! * weight[o * inner + i]!
    }
  }
  return dx
}

/** Gradients of `y = scale·act(x·Wᵀ + b)`: `dweight[o, i] = Σ_r g[r, o]·x[r, i]`, `dbias[o] = Σ_r g[r, o]`. */
export function linearBackwardWeightReference(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  { rows, inner, columns }: Sizes,
  options: Options = {},
): { readonly dweight: Float64Array; readonly dbias: Float64Array } {
  const g = through(dy, options)
  const dweight = new Float64Array(columns * inner)
  const dbias = new Float64Array(columns)
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < columns; o++) {
      dbias[o]! += g[r * columns + o]!
      for (let i = 0; i < inner; i++) dweight[o * inner + i]! += g[r * columns + o]! * x[r * inner + i]!
    }
  }
  return { dweight, dbias }
}

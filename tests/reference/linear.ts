/** `y = residual + scale · act(x·Wᵀ + b)`; `x` [rows, in], `weight` [out, in], `y` and `residual` [rows, out]. */
export function linearReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  { rows, inner, columns }: { readonly rows: number; readonly inner: number; readonly columns: number },
  epilogue: {
    readonly bias?: ArrayLike<number>
    readonly residual?: ArrayLike<number>
    readonly relu?: boolean
    readonly scale?: number
  } = {},
): Float64Array {
  const y = new Float64Array(rows * columns)
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < columns; o++) {
      let sum = epilogue.bias?.[o] ?? 0
      for (let i = 0; i < inner; i++) sum += x[r * inner + i]! * weight[o * inner + i]!
      if (epilogue.relu) sum = Math.max(sum, 0)
      y[r * columns + o] = (epilogue.residual?.[r * columns + o] ?? 0) + (epilogue.scale ?? 1) * sum
    }
  }
  return y
}

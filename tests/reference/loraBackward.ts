type Rows = readonly { readonly slot: number; readonly scale: number }[]
/** A matrix for each part and, in it, for each slot. */
type Matrices = readonly (readonly ArrayLike<number>[])[]

/**
 * `du[r, part, j] = scale(r)·Σ_n dy[r, first(part) + n]·B[part][slot(r)][j, n]`, dy [rows, widths side by side], each B
 * [rank, width]. Result [rows, parts·rank].
 */
export function loraBackwardUpReference(
  rows: Rows,
  dy: ArrayLike<number>,
  b: Matrices,
  rank: number,
): Float64Array {
  const out = dy.length / rows.length
  const du = new Float64Array(rows.length * b.length * rank)
  rows.forEach(({ slot, scale }, r) => {
    let first = 0
    b.forEach((matrices, part) => {
      const width = matrices[0]!.length / rank
      for (let j = 0; j < rank; j++) {
        let sum = 0
        for (let n = 0; n < width; n++) sum += dy[r * out + first + n]! * matrices[slot]![j * width + n]!
        du[(r * b.length + part) * rank + j] = scale * sum
      }
      first += width
    })
  })
  return du
}

/**
 * `dB[part][s][j, n] = Σ_{r: slot(r) = s} scale(r)·u[r, part, j]·dy[r, first(part) + n]`, u [rows, parts·rank]. Where B is
 * shared the gradients of all slots add up.
 */
export function loraBackwardBReference(
  rows: Rows,
  u: ArrayLike<number>,
  dy: ArrayLike<number>,
  widths: readonly number[],
  rank: number,
  slots: number,
): Float64Array[][] {
  const out = dy.length / rows.length
  let first = 0
  return widths.map((width, part) => {
    const gradients = Array.from({ length: slots }, () => new Float64Array(rank * width))
    rows.forEach(({ slot, scale }, r) => {
      if (scale === 0) return
      for (let j = 0; j < rank; j++) {
        const low = u[(r * widths.length + part) * rank + j]!
        for (let n = 0; n < width; n++)
          gradients[slot]![j * width + n]! += scale * low * dy[r * out + first + n]!
      }
    })
    first += width
    return gradients
  })
}

/**
 * `dA[part][s][k, j] = Σ_{r: slot(r) = s} drop[r, k]·x[r, k]·du[r, part, j]`, du [rows, parts·rank]. Where A is shared the
 * gradients of all slots add up.
 */
export function loraBackwardAReference(
  rows: Rows,
  x: ArrayLike<number>,
  drop: ArrayLike<number>,
  du: ArrayLike<number>,
  { parts, rank, slots }: { readonly parts: number; readonly rank: number; readonly slots: number },
): Float64Array[][] {
  const inFeatures = x.length / rows.length
  return Array.from({ length: parts }, (_, part) => {
    const gradients = Array.from({ length: slots }, () => new Float64Array(inFeatures * rank))
    rows.forEach(({ slot, scale }, r) => {
      if (scale === 0) return
      for (let k = 0; k < inFeatures; k++) {
        const value = drop[r * inFeatures + k]! * x[r * inFeatures + k]!
        for (let j = 0; j < rank; j++)
          gradients[slot]![k * rank + j]! += value * du[(r * parts + part) * rank + j]!
      }
    })
    return gradients
  })
}

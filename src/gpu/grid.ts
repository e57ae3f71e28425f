/** Workgroups that one dimension of a grid may have on every device; more is never asked for. */
export const MOST_WORKGROUPS = 65_535

/** Workgroups in two dimensions, some past the end where one does not hold them: for kernels that know where they end. */
export function paddedGrid(count: number, most = MOST_WORKGROUPS): readonly [number, number] {
  const lines = Math.ceil(count / most)
  return lines > 1 ? [Math.ceil(count / lines), lines] : [count, 1]
}

/**
 * Exactly so many workgroups, in two dimensions where one does not hold them: for kernels that have one for each row and do
 * not know how many there are. A count without a divisor that helps stays as it is, and is refused when it is encoded; the
 * rows of a batch, dialogues times tokens, always have one.
 */
export function exactGrid(count: number, most = MOST_WORKGROUPS): readonly [number, number] {
  for (let lines = Math.ceil(count / most); lines > 1 && lines <= most; lines++) {
    if (count % lines === 0) return [count / lines, lines]
  }
  return [count, 1]
}

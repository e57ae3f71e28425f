/** Fewer lanes leave units of a card that compute together idle. */
const FEWEST = 32
/** Columns of a lane at a time. */
const EACH = 4

/**
 * Lanes of a workgroup that normalises rows of so many columns: a power of two, as many as have something to do, but at most
 * `most`.
 */
export function lanesOfRow(columns: number, most: number): number {
  let lanes = Math.min(FEWEST, most)
  while (lanes < most && EACH * lanes < columns) lanes *= 2
  return lanes
}

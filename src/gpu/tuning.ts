/** What decides how fast a device computes, and never what. */
export interface Tuning {
  /** How many rows meet a matrix: in tiles that a workgroup's lanes share, or without workgroup memory. */
  readonly manyRows: 'tile' | 'direct'
  /** Attention for the rows of a prompt, all of one sequence: four of them share what is read, or none needs another. */
  readonly promptAttention: 'rows' | 'direct'
  /** Attention for the rows of a batch, of many sequences: a workgroup each, or none at all. */
  readonly batchAttention: 'row' | 'direct'
  /** Lanes that share an output where few rows meet a matrix. */
  readonly outputLanes: number
  /** Which workgroups multiply with A where few rows meet a matrix: their own, or those of the outputs. */
  readonly rankColumns: 'beside' | 'within'
  /** Lanes that share a row which is normalised, at most; a power of two. */
  readonly normLanes: number
  /** Lanes of a workgroup of attention for one row, and for four. */
  readonly rowLanes: number
  readonly rowsLanes: number
  /** Decode steps submitted ahead of the token read back. */
  readonly stepsAhead: number
}

/**
 * A graphics card runs all workgroups at once: few outputs and few heads must fill it, what is read is shared, A has
 * workgroups of its own so that nothing waits for it, the one row of a token is normalised by as many lanes as there may be,
 * and the next token is computed while the last one travels.
 */
export const CARD: Tuning = {
  manyRows: 'tile',
  promptAttention: 'rows',
  batchAttention: 'row',
  outputLanes: 8,
  rankColumns: 'beside',
  normLanes: 256,
  rowLanes: 128,
  rowsLanes: 64,
  stepsAhead: 2,
}

/**
 * A processor that emulates a graphics card runs lanes one after another and pays for each at every barrier (measured on
 * llvmpipe: many rows without tiles 2 to 4 times as fast). Its few threads take equal numbers of workgroups, which
 * therefore must weigh the same, and computing ahead of the token that is read back only costs.
 */
export const EMULATED: Tuning = {
  manyRows: 'direct',
  promptAttention: 'rows',
  batchAttention: 'direct',
  outputLanes: 2,
  rankColumns: 'within',
  normLanes: 32,
  rowLanes: 32,
  rowsLanes: 32,
  stepsAhead: 1,
}

/** A graphics device with what suits it. */
export interface TunedDevice {
  readonly device: GPUDevice
  /** Whether a processor only pretends to be a graphics card. */
  readonly isSoftware: boolean
  readonly tuning: Tuning
}

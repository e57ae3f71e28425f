/** Tokens that come behind one of the readings. */
export interface ReadTokens {
  readonly reading: number
  readonly ids: readonly number[]
}

/** Several texts that are read at once, each by somebody of their own, so that the weights are read once for all. */
export interface Chorus {
  /**
   * Feeds tokens behind what was read before.
   *
   * @param rows of each reading at most once, with at least one token.
   * @returns logits [rows, vocabulary] behind the last token of each.
   * @throws HycoraError `usage` where a reading has no room left, and what the device throws.
   */
  read(rows: readonly ReadTokens[]): Promise<Float32Array>
  destroy(): void
}

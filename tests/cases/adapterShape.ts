/** The adapter of a case: its rank, how many roles take part and whether they share B. */
export interface AdapterShape {
  readonly rank: number
  readonly slots: number
  readonly isShared: boolean
}

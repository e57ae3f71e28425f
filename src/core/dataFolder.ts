/** What of a folder is read as a data set. */
export interface DataFolder {
  /** In the order of their paths, by which they are split. */
  readonly taken: readonly string[]
  /** What else may hold data, and is told to be left out. */
  readonly left: readonly string[]
}

/**
 * Which files of a folder and of the folders in it are a data set: those of lines and tables, but splits that were drawn of
 * them; what is hidden is not looked at.
 */
export function dataIn(paths: readonly string[]): DataFolder {
  const seen = paths.filter((path) => !/(?:^|\/)\./.test(path)).toSorted()
  const tables = seen.filter((path) => /\.(?:jsonl|ndjson|csv|tsv)$/i.test(path))
  return {
    taken: tables.filter((path) => !path.endsWith('.split.jsonl')),
    left: seen.filter((path) => /\.(?:json|txt|parquet|arrow|xlsx)$/i.test(path)),
  }
}

import { check } from './errors.ts'

/** What comes in at once: more than any folder of an adapter holds. */
export const MOST_FILES = 2048

/** Refuses what comes in at once where it is a whole disk. @throws HycoraError `format-invalid` naming the bound. */
export function expectFew(files: readonly unknown[]): void {
  check(
    files.length <= MOST_FILES,
    'format-invalid',
    () =>
      `more than ${MOST_FILES} files came at once: choose the files, or the folder of one adapter or data set`,
  )
}

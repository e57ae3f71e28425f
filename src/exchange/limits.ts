const MIB = 2 ** 20

/** What is read of a stranger's file at most; files beyond these are refused before they are opened. */
export const LIMITS = {
  /** Of one file, or of all files of a folder that belong together. */
  fileBytes: 512 * MIB,
  /** Of an archive: its files, one of them that has to be inflated, all of them together. */
  archive: { files: 2048, inflatedBytes: 512 * MIB, totalBytes: 512 * MIB },
} as const

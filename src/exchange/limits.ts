import { check } from '../core/errors.ts'
import { MOST_FILES } from '../core/fewFiles.ts'
import { MOST_LORE_BYTES } from '../formats/lore/packedEntries.ts'
import { MOST_BYTES } from '../formats/safetensors.ts'

const MIB = 2 ** 20

/** What is read of a stranger's file at most, and written into one; files beyond these are refused before they are opened. */
export const LIMITS = {
  /** Of what comes in at once. */
  files: MOST_FILES,
  /** Of one file, or of all files of a folder that belong together. */
  fileBytes: MOST_BYTES,
  /** Of an archive: its files, one of them that has to be inflated, all of them together. */
  archive: { files: 2048, inflatedBytes: MOST_BYTES, totalBytes: MOST_BYTES },
  /** Of an archive's directory, which is read whatever it holds: what it is must be told before it is refused. */
  directory: { files: 65_534, inflatedBytes: 2 ** 32, totalBytes: 2 ** 40 },
  /** Of a lorebook, and of what it has packed. */
  loreBytes: MOST_LORE_BYTES,
  /** Of a character in YAML, in characters. */
  yamlCharacters: 2 ** 20,
  /** Of a file whose characters' example dialogue is learnt; what is larger is text alone. */
  characterBytes: 64 * MIB,
  /** Of further files that a PNG takes along: more would make a picture that no program opens. */
  besidePictureBytes: 32 * MIB,
} as const

/** Refuses a file that is larger than is read, before it is. @throws HycoraError `format-invalid` naming both sizes. */
export function expectReadable(name: string, bytes: number): void {
  check(
    bytes <= LIMITS.fileBytes,
    'format-invalid',
    () => `${name} has ${bytes} bytes, at most ${LIMITS.fileBytes} are read`,
  )
}

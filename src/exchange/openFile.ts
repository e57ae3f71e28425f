import { asHycoraError, check, HycoraError } from '../core/errors.ts'
import { readBackup } from '../formats/backup.ts'
import type { Backup } from '../formats/backup.ts'
import { isJsonRecord } from '../core/json.ts'
import { decodeText, withoutFilling } from '../core/text.ts'
import { readCardFile } from '../formats/cardFile.ts'
import { readCardRecord } from '../formats/cardRecord.ts'
import type { CardFile } from '../formats/cardRecord.ts'
import { copyJson } from '../formats/cardSpec.ts'
import { readDataset } from '../formats/dataset.ts'
import type { DatasetReading } from '../formats/dataset/reading.ts'
import { ggufKind } from '../formats/gguf.ts'
import { readGroupFile } from '../formats/groupFile.ts'
import type { GroupFile } from '../formats/groupFile.ts'
import { loreIn } from '../formats/lore/loreFile.ts'
import type { LoreFile } from '../formats/lore/loreFile.ts'
import { entriesOf } from '../formats/lore/readLorebook.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import { isAuthorsCheckpoint, otherTensors } from '../formats/otherWeights.ts'
import { findPeftFolders } from '../formats/peft.ts'
import { readSafetensorsHeader } from '../formats/safetensors.ts'
import { readZip } from '../formats/zip.ts'
import { importChats } from '../storage/sillyTavern.ts'
import type { ImportedChat } from '../storage/sillyTavern.ts'
import { fileKind, otherFile } from './fileKind.ts'
import { LIMITS } from './limits.ts'

/** A file, or the files of a PEFT folder, opened and checked; nothing of it is used yet. */
export type Opened =
  | { readonly kind: 'pack'; readonly pack: Pack }
  | { readonly kind: 'card'; readonly card: CardFile }
  | {
      readonly kind: 'peft'
      readonly files: ReadonlyMap<string, Uint8Array>
      readonly warning: string | null
    }
  | { readonly kind: 'backup'; readonly backup: Backup }
  | { readonly kind: 'chat'; readonly chats: readonly ImportedChat[]; readonly warning: string | null }
  /** How many dialogues a text holds, as far as that is known before its columns are. */
  | { readonly kind: 'lines'; readonly dialogues: number; readonly warning: string | null }
  /** A lorebook, with the text of its file. */
  | { readonly kind: 'lore'; readonly lore: LoreFile; readonly text: string; readonly warning: string | null }
  /** Several who play in one chat, with the text of the file. */
  | { readonly kind: 'group'; readonly group: GroupFile; readonly text: string }
  /** What it is, with an article. */
  | { readonly kind: 'other'; readonly what: string }
  /** A checkpoint of the authors' trainer, or weights of anything else: what they are, with an article, where that is known. */
  | { readonly kind: 'safetensors'; readonly isCheckpoint: boolean; readonly what: string | null }
  | { readonly kind: 'gguf'; readonly what: string }
  | { readonly kind: 'unknown' }

/**
 * Opens whatever came in, told apart by content.
 *
 * @throws HycoraError `format-invalid`, `format-unsupported` naming the file and what is wrong with it.
 */
export async function openFile(bytes: Uint8Array, name: string): Promise<Opened> {
  check(bytes.length > 0, 'format-invalid', () => `${name} is empty`)
  const kind = fileKind(bytes, name)
  switch (kind) {
    case 'pack':
      return { kind, pack: await readPack(memorySource(name, bytes)) }
    case 'card':
      return { kind, card: readCardFile(bytes, name) }
    case 'peft':
      return { kind, ...readAdapterArchive(bytes, name) }
    case 'backup':
      return { kind, backup: await readBackup(bytes, name) }
    case 'yaml':
      return { kind: 'card', card: await readYamlCard(bytes, name) }
    case 'chat': {
      const { text, warning } = decodeText(withoutFilling(bytes), name)
      return { kind, chats: readChats(text, name), warning }
    }
    case 'lines':
      return { kind, ...readLines(bytes, name) }
    case 'lore':
      return { kind, ...readLore(bytes, name) }
    case 'group':
      return { kind, ...readGroup(bytes, name) }
    case 'other':
      return { kind, what: otherFile(bytes, name) }
    case 'safetensors': {
      const header = await readSafetensorsHeader(memorySource(name, bytes), { isForeign: true })
      return { kind, isCheckpoint: isAuthorsCheckpoint(header), what: otherTensors(header) }
    }
    case 'gguf':
      return { kind, what: ggufKind(bytes, name) }
    case 'unknown':
      return { kind }
  }
}

/** A lorebook. @throws HycoraError `format-invalid` for one without entries, or longer than is kept with a chat. */
function readLore(
  bytes: Uint8Array,
  name: string,
): { readonly lore: LoreFile; readonly text: string; readonly warning: string | null } {
  check(
    bytes.length <= LIMITS.loreBytes,
    'format-invalid',
    () => `${name} has ${bytes.length} bytes, a lorebook may have ${LIMITS.loreBytes}`,
  )
  const { text, warning } = decodeText(withoutFilling(bytes), name)
  const value: unknown = JSON.parse(text)
  const lore = loreIn(isJsonRecord(value) ? copyJson(value, name) : value)
  check(
    lore && entriesOf(lore.book).length > 0,
    'format-invalid',
    () => `${name} is a lorebook without entries`,
  )
  return { lore, text, warning }
}

/** A group of SillyTavern. @throws HycoraError `format-invalid` for one that nests too deep to be kept. */
function readGroup(bytes: Uint8Array, name: string): { readonly group: GroupFile; readonly text: string } {
  const { text } = decodeText(withoutFilling(bytes), name)
  const value: unknown = JSON.parse(text)
  const group = isJsonRecord(value) ? readGroupFile(copyJson(value, name)) : null
  check(group, 'format-invalid', () => `${name} is a group with nobody in it`)
  return { group, text }
}

/** The folder of an adapter in an archive; of several, the outermost and first. */
function readAdapterArchive(
  bytes: Uint8Array,
  name: string,
): { readonly files: ReadonlyMap<string, Uint8Array>; readonly warning: string | null } {
  const [first, ...others] = findPeftFolders(readZip(bytes, name, LIMITS.archive))
  const rest = others.map(({ folder }) => folder || 'the archive itself').join(', ')
  const warning = `${name} holds several adapters; ${first?.folder} was read, not ${rest}`
  return { files: first?.files ?? new Map(), warning: others.length > 0 ? warning : null }
}

/** The chats of a text. @throws HycoraError naming the file where it holds none. */
export function readChats(text: string, name: string): readonly ImportedChat[] {
  try {
    return importChats(text, () => '')
  } catch (error) {
    const { code, message } = asHycoraError(error, 'format-invalid')
    throw new HycoraError(code, `${name}: ${message}`, { cause: error })
  }
}

/** The chats of a text that came beside a character; none where nobody has said anything yet. @throws HycoraError as `readChats`. */
export function chatsBeside(text: string, name: string): readonly ImportedChat[] {
  try {
    return readChats(text, name)
  } catch (error) {
    if (asHycoraError(error, 'format-invalid').code !== 'format-invalid') throw error
    return []
  }
}

/** Another program's character as YAML; the library comes when such a file does. */
async function readYamlCard(bytes: Uint8Array, name: string): Promise<CardFile> {
  const { text, warning } = decodeText(withoutFilling(bytes), name)
  check(
    text.length <= LIMITS.yamlCharacters,
    'format-invalid',
    () => `${name} has ${text.length} characters, YAML may have ${LIMITS.yamlCharacters}`,
  )
  const { parse } = await import('yaml')
  let value: unknown
  try {
    value = parse(text, { schema: 'core' })
  } catch (error) {
    throw new HycoraError('format-invalid', `${name} is not valid YAML`, { cause: error })
  }
  check(
    isJsonRecord(value),
    'format-invalid',
    () => `${name} is no character: its YAML is not a list of keys`,
  )
  return readCardRecord(copyJson(value, name), name, warning === null ? [] : [`${warning}.`])
}

/** Who speaks where lines do not say it: whether they can be learnt is seen before anybody is named. */
const SOMEBODY = 'Somebody'

function readRows(text: string, name: string, nothing: string): DatasetReading {
  try {
    return readDataset(text, name, { roleName: SOMEBODY })
  } catch (error) {
    const fault = asHycoraError(error, 'format-invalid')
    if (fault.code !== 'format-invalid') throw fault
    throw new HycoraError('format-invalid', `${nothing}: ${fault.message}`, { cause: error })
  }
}

/** Reads lines as they will be learnt. @throws HycoraError `format-invalid` where nothing in the file can be. */
function readLines(
  bytes: Uint8Array,
  name: string,
): { readonly dialogues: number; readonly warning: string | null } {
  const { text, warning } = decodeText(withoutFilling(bytes), name)
  const nothing = `${name} holds neither a character nor a chat, and no lines that can be learnt`
  const { dialogues, rejected, columns } = readRows(text, name, nothing)
  check(dialogues.length > 0 || columns, 'format-invalid', () => {
    const [first] = rejected
    return first ? `${nothing}: line ${first.line}, ${first.reason}` : nothing
  })
  return { dialogues: dialogues.length, warning }
}

/** What is told of a file that is of no use here. @throws HycoraError always, `format-unsupported`. */
export function refuse(
  kind: 'safetensors' | 'gguf' | 'unknown',
  name: string,
  { bytes, what = null }: { readonly bytes?: Uint8Array; readonly what?: string | null } = {},
): never {
  // A binary file is told by its kind, where that is known.
  if (kind === 'unknown' && bytes) decodeText(bytes, name)
  const reasons = {
    safetensors:
      what === null
        ? `${name} is a safetensors file, but no persona pack: it lacks the format "hycora-pack"`
        : `${name} is no persona pack, but ${what}`,
    gguf: `${name} is ${what ?? 'a GGUF file'}, which is not read here: adapters can be written so, but come in as a pack or a PEFT folder`,
    unknown: `${name} is neither a pack nor a card, a chat, lines or a PEFT folder`,
  }
  throw new HycoraError('format-unsupported', reasons[kind])
}

import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { parseRecord } from './jsonRows.ts'
import type { TextRow } from './jsonRows.ts'
import type { DatasetOptions, DialogueCollector } from './reading.ts'
import { addScenes } from './script.ts'
import type { SceneLine } from './script.ts'

/** Whether a line is a header or a message of a SillyTavern chat. */
export function isSillyTavern(record: JsonRecord): boolean {
  const has = (key: string): boolean => Object.hasOwn(record, key)
  if (has('mes')) return has('is_user') || has('name')
  return (has('chat_metadata') || has('character_name')) && !has('messages')
}

/** Newer files say "unused" where older ones have a name. */
function known(name: unknown): string | undefined {
  return typeof name === 'string' && name.trim() !== '' && name !== 'unused' ? name.trim() : undefined
}

/**
 * Reads a SillyTavern chat: every character in it learns its own messages. Messages hidden from the prompt are left out
 * and count as system turns.
 *
 * @throws HycoraError `format-invalid` when more than 32 people speak.
 */
export function addChat(
  rows: Iterable<TextRow>,
  { roleName }: DatasetOptions,
  fileName: string,
  into: DialogueCollector,
): void {
  const scene: SceneLine[] = []
  let character = roleName
  for (const { line, text } of rows) {
    const parsed = parseRecord(text)
    if ('reason' in parsed) {
      into.reject(line, parsed.reason)
      continue
    }
    const { record } = parsed
    if (!Object.hasOwn(record, 'mes') && isSillyTavern(record)) {
      character ??= known(ownField(record, 'character_name'))
      continue
    }
    const mes = ownField(record, 'mes')
    // Chub's lines carry `{message}` where others carry the text itself.
    const spoken = isJsonRecord(mes) ? ownField(mes, 'message') : mes
    if (typeof spoken !== 'string' || spoken.trim() === '') {
      into.reject(line, 'it has no text')
    } else if (ownField(record, 'is_system') === true) {
      into.droppedSystemTurns++
    } else {
      const name = known(ownField(record, 'name')) ?? character ?? ''
      scene.push({ by: speakerOf(record, name, character), name, text: spoken, line })
    }
  }
  addScenes([scene], character, fileName, into)
}

function speakerOf(record: JsonRecord, name: string, character: string | undefined): SceneLine['by'] {
  if (ownField(record, 'is_user') === true) return 'visitor'
  return name === '' || name === character ? 'character' : 'named'
}

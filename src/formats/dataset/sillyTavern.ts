import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import type { JsonRow } from './jsonRows.ts'
import type { DatasetOptions, DialogueCollector } from './reading.ts'
import { addScenes } from './scenes.ts'
import type { SceneLine } from './scenes.ts'
import { keptName } from './words.ts'

/** Whether a line is a header or a message of a SillyTavern chat. */
export function isSillyTavern(record: JsonRecord): boolean {
  const has = (key: string): boolean => Object.hasOwn(record, key)
  if (has('mes')) return has('is_user') || has('name')
  return (has('chat_metadata') || has('character_name')) && !has('messages')
}

/** Newer files say "unused" where older ones have a name. */
function known(name: unknown): string | undefined {
  const plain = typeof name === 'string' ? keptName(name) : ''
  return plain !== '' && plain !== 'unused' ? plain : undefined
}

/**
 * Reads a SillyTavern chat: every character in it learns its own messages. Messages hidden from the prompt are left out
 * and count as system turns.
 *
 * @param first what was read of the chat to tell what it is.
 * @throws HycoraError `format-invalid` when more than 32 people speak.
 */
export function addChat(
  first: readonly JsonRow[],
  rows: Iterable<JsonRow>,
  { roleName }: DatasetOptions,
  fileName: string,
  into: DialogueCollector,
): void {
  const lines: SceneLine[] = []
  let character = roleName
  const take = (row: JsonRow): void => {
    const { line } = row
    if ('reason' in row) {
      into.reject(line, row.reason)
      return
    }
    const { record } = row
    if (!Object.hasOwn(record, 'mes') && isSillyTavern(record)) {
      character ??= known(ownField(record, 'character_name'))
      return
    }
    const mes = ownField(record, 'mes')
    // Chub's lines carry `{message}` where others carry the text itself.
    const text = isJsonRecord(mes) ? ownField(mes, 'message') : mes
    if (typeof text !== 'string' || text.trim() === '') into.reject(line, 'it has no text')
    else if (ownField(record, 'is_system') === true) into.droppedSystemTurns++
    else lines.push(lineOf(record, character, text, line))
  }
  first.forEach(take)
  for (const row of rows) take(row)
  addScenes([{ lines }], character, fileName, into)
}

function lineOf(record: JsonRecord, character: string | undefined, text: string, line: number): SceneLine {
  if (ownField(record, 'is_user') === true) return { by: 'visitor', name: '', text, line }
  const name = known(ownField(record, 'name')) ?? character ?? ''
  const isCharacter = name === '' || name === character
  return { by: isCharacter ? 'character' : 'named', name: isCharacter ? '' : name, text, line }
}

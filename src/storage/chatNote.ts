import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import type { ChatNote } from './records.ts'

/** Where a note stands that does not say it. */
export const USUAL_NOTE: ChatNote = { text: '', depth: 4, every: 1 }

function parsed(metadata: string | null): JsonRecord {
  try {
    const value: unknown = JSON.parse(metadata ?? '')
    return isJsonRecord(value) ? value : {}
  } catch {
    return {}
  }
}

function natural(value: unknown, usual: number): number {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : usual
}

/** The author's note of a chat that came in, from SillyTavern's `chat_metadata`; null where it has none, or one that is off. */
export function noteOf(metadata: string | null): ChatNote | null {
  if (metadata === null) return null
  const fields = parsed(metadata)
  const text = ownField(fields, 'note_prompt')
  const every = natural(ownField(fields, 'note_interval'), USUAL_NOTE.every)
  if (typeof text !== 'string' || text.trim() === '' || every === 0) return null
  return { text, depth: natural(ownField(fields, 'note_depth'), USUAL_NOTE.depth), every }
}

/** A note as SillyTavern's `chat_metadata` has it; nothing where the metadata says the same already. */
export function noteFields(note: ChatNote | null, metadata: string | null): JsonRecord {
  if (JSON.stringify(noteOf(metadata)) === JSON.stringify(note)) return {}
  return note === null
    ? { note_prompt: '' }
    : { note_prompt: note.text, note_depth: note.depth, note_interval: note.every, note_position: 1 }
}

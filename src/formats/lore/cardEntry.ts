import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { ENTRY_FIELDS } from './fields.ts'
import type { LoreField } from './fields.ts'

/**
 * An entry of World Info as a card has it: each field under its name there, and what a card has no field for in its
 * extensions, where SillyTavern looks for it; what nobody knows goes there too.
 */
export function cardEntry(entry: JsonRecord): JsonRecord {
  const fields: readonly LoreField[] = Object.values(ENTRY_FIELDS)
  const held = ownField(entry, 'extensions')
  const extensions = new Map<string, unknown>(Object.entries(isJsonRecord(held) ? held : {}))
  const own = new Map<string, unknown>([
    ['keys', []],
    ['content', ''],
    ['enabled', ownField(entry, 'disable') !== true],
    ['insertion_order', 100],
    ['use_regex', false],
  ])
  for (const [key, value] of Object.entries(entry)) {
    if (key === 'extensions' || key === 'disable' || key === '__proto__') continue
    const field = fields.find(({ world }) => world === key)
    if (field?.card !== undefined) own.set(field.card, value)
    else extensions.set(field?.extension ?? key, value)
  }
  // SillyTavern's first place is before the character.
  own.set('position', (ownField(entry, 'position') ?? 0) === 0 ? 'before_char' : 'after_char')
  return { ...Object.fromEntries(own), extensions: Object.fromEntries(extensions) }
}

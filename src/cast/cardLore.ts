import type { JsonRecord } from '../core/json.ts'
import { withBook } from '../formats/lore/loreFile.ts'
import type { LoreFile } from '../formats/lore/loreFile.ts'

/** A card's `data` with another lorebook in it, whose entries stand behind those that are there. */
export function cardWithBook(data: JsonRecord, lore: Pick<LoreFile, 'name' | 'book'>): JsonRecord {
  return withBook(data, lore)
}

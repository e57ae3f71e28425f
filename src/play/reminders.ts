import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import type { Script } from '../core/script.ts'
import { readCard } from '../formats/card.ts'
import type { Pack } from '../formats/pack.ts'
import type { PackRole } from '../formats/packRoles.ts'
import type { Casting } from '../model/decoder/backbone.ts'

/** The role that plays; undefined for a blend and for nobody. */
export function roleOf(pack: Pick<Pack, 'roles'> | null, casting: Casting | null): PackRole | undefined {
  const [part, ...others] = casting?.parts ?? []
  return part && others.length === 0 ? pack?.roles[part.role] : undefined
}

/**
 * What a role is reminded of: the lorebook of its own card, where its weights were trained behind what that says, so that
 * the smallest model reads it too. A blend is reminded of nothing.
 */
export function remindersOf(role: PackRole | undefined): Script | null {
  const book = role?.card && !role.blend ? bookOf(role.card) : null
  if (!role || !book || !isLearnt(book)) return null
  return {
    // Nothing is said of who speaks: names would be taken for keys.
    names: { user: '', character: role.name },
    tags: [],
    texts: {},
    notes: [],
    books: [{ name: `${role.name}’s lorebook`, book }],
    creatorNotes: '',
    greeting: null,
    occasion: 'next',
    seed: 0,
  }
}

/** The books of cards that were read: it is asked for before every answer. */
const read = new WeakMap<JsonRecord, JsonRecord | null>()

function bookOf(card: JsonRecord): JsonRecord | null {
  const known = read.get(card)
  if (known !== undefined) return known
  const { book } = readCard(card)
  read.set(card, book)
  return book
}

/** Whether a lorebook is marked as one that weights were trained behind. */
function isLearnt(book: Script['books'][number]['book']): boolean {
  const extensions = typeof book === 'string' ? undefined : ownField(book, 'extensions')
  const own = isJsonRecord(extensions) ? ownField(extensions, 'hycora') : undefined
  return isJsonRecord(own) && ownField(own, 'learnt') === true
}

/** A script with the books that whoever plays learnt, before its own; a book that it has already stays once. */
export function withReminders(script: Script | undefined, reminders: Script | null): Script | undefined {
  if (!script || !reminders) return script ?? reminders ?? undefined
  const others = script.books.filter(({ book }) => typeof book === 'string' || !isLearnt(book))
  return { ...script, books: [...reminders.books, ...others] }
}

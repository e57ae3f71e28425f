import type { Turn } from '../core/dialogue.ts'
import { greetingsOf, nameOf, wholeText } from '../cast/cardTexts.ts'
import { fillMacros } from '../core/macros.ts'
import { readCard } from '../formats/card.ts'
import type { Pack } from '../formats/pack.ts'
import type { PackRole } from '../formats/packRoles.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import { castRole } from '../model/adapter/roles.ts'

/** What a visitor without a name is called in cards and greetings. */
const VISITOR = 'the visitor'

/** A role of the pack as it is asked. */
export interface Player {
  readonly name: string
  /** The line that it was trained behind. */
  readonly line: string | null
  /** The whole card as text, else the line; it stands for what other programs would have the model read. */
  readonly card: string
  /** What it says before the visitor does, as in the page; nothing where its card has no greeting. */
  readonly greeting: readonly Turn[]
  readonly casting: Casting
}

/** The roles that a pack has vectors of, in its order; blends are left out. */
export function playersOf(pack: Pack): Player[] {
  return pack.roles.slice(0, pack.rows).map((role) => playerOf(pack, role))
}

function playerOf(pack: Pack, { name, system, card }: PackRole): Player {
  const casting = castRole(pack, name, 1)
  if (!card) return { name, line: system, card: system ?? '', greeting: [], casting }
  const read = readCard(card)
  const [first] = greetingsOf(read)
  const names = { user: VISITOR, character: nameOf(read) }
  return {
    name,
    line: system,
    card: wholeText(read, VISITOR) || (system ?? ''),
    greeting: first === undefined ? [] : [{ speaker: 'role', text: fillMacros(first, names) }],
    casting,
  }
}

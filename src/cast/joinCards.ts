import { fillMacros } from '../core/macros.ts'
import type { MacroValues } from '../core/macros.ts'
import type { CharacterCard } from '../formats/card.ts'
import type { GroupMember, JoinedCards } from '../storage/records.ts'
import { depthPromptOf, textsOf } from './cardScript.ts'
import type { Together } from './cardScript.ts'

/** One of several, whose card may be told with the others'. */
export interface Joining extends Pick<GroupMember, 'name' | 'isMuted'> {
  /** Null for whoever has none. */
  readonly card: CharacterCard | null
  /** Whether it is they who are told. */
  readonly isSpeaking: boolean
}

/** The texts of cards that are joined, with what SillyTavern calls each in place of `<FIELDNAME>`. */
const FIELDS = [
  ['description', 'Description'],
  ['personality', 'Personality'],
  ['scenario', 'Scenario'],
  ['examples', 'Example Messages'],
] as const

/**
 * What one of several is told of all: of each text of the cards those of everybody who has it, one below the other, each
 * between the group's prefix and suffix, and of the others what their cards put among the messages. `{{char}}` is whose card
 * it is. Whoever is muted is told of where the group says so, or where they speak.
 *
 * Reference: SillyTavern's documentation, "Group Chats", "Group generation handling mode".
 *
 * @param options `isTrained`: whether weights play whoever speaks, so that their own card need not be told.
 */
export function joinCards(
  members: readonly Joining[],
  { prefix, suffix, isWithMuted, isTrained }: JoinedCards & { readonly isTrained: boolean },
  values: Omit<MacroValues, 'character'>,
): Together {
  const cards = members.flatMap(({ card, name, isMuted, isSpeaking }) => {
    const isTold = isWithMuted || !isMuted || isSpeaking
    const fill = (text: string): string => fillMacros(text, { ...values, character: name })
    return card && isTold ? [{ card, isSpeaking, fill }] : []
  })
  const texts = FIELDS.map(([kind, field]) => {
    const told = cards.flatMap(({ card, isSpeaking, fill }) => {
      const around = (text: string): string => fill(text.replaceAll(/<FIELDNAME>/gi, () => field))
      const text = fill(textsOf(card)[kind] ?? '').trim()
      const isKnown = text === '' || (isSpeaking && isTrained)
      return isKnown ? [] : [`${around(prefix)}${text}${around(suffix)}`]
    })
    return [kind, told.join('\n')] as const
  })
  return {
    texts: Object.fromEntries(texts.filter(([, text]) => text !== '')),
    notes: cards
      .filter(({ isSpeaking }) => !isSpeaking)
      .map(({ card, fill }) => {
        const note = depthPromptOf(card)
        return { ...note, text: fill(note.text).trim() }
      }),
  }
}

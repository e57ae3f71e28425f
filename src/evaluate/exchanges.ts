import { countsAsReply } from '../core/dialogue.ts'
import type { Dialogue, Turn } from '../core/dialogue.ts'
import type { Random } from '../core/random.ts'
import { shuffled } from '../core/shuffle.ts'
import type { MeasuredDialogue } from './nll.ts'

/** One reply of a dialogue with what came before it. */
export interface Exchange {
  readonly role: string
  readonly dialogue: Dialogue
  /** Which of the dialogue's replies that count it is. */
  readonly ordinal: number
  /** What was said before the reply. */
  readonly turns: readonly Turn[]
  /** All replies of the role to the same words in the data, the first its own. */
  readonly references: readonly string[]
}

/** Every reply of the dialogues that counts as an exchange, in order. */
export function exchangesOf(dialogues: readonly Dialogue[]): Exchange[] {
  const referencesTo = new Map<string, string[]>()
  return dialogues.flatMap((dialogue) => {
    let ordinal = 0
    return dialogue.turns.flatMap((turn, index): Exchange[] => {
      if (!countsAsReply(turn)) return []
      const turns = dialogue.turns.slice(0, index)
      const key = JSON.stringify([dialogue.role, turns])
      const references = referencesTo.get(key) ?? []
      references.push(turn.text)
      referencesTo.set(key, references)
      return [{ role: dialogue.role, dialogue, ordinal: ordinal++, turns, references }]
    })
  })
}

/** A random choice of at most `count` exchanges a role, grouped by role. */
export function sampleExchanges(
  exchanges: readonly Exchange[],
  roles: readonly string[],
  count: number,
  random: Random,
): Exchange[] {
  return roles.flatMap((name) => {
    const own = exchanges.filter(({ role }) => role === name)
    return shuffled(own, random).slice(0, count)
  })
}

/** The dialogues that hold the exchanges, so that replies of one dialogue are measured together. */
export function measuredDialogues(exchanges: readonly Exchange[]): MeasuredDialogue[] {
  const byDialogue = new Map<Dialogue, number[]>()
  for (const { dialogue, ordinal } of exchanges) {
    const wanted = byDialogue.get(dialogue)
    if (wanted) wanted.push(ordinal)
    else byDialogue.set(dialogue, [ordinal])
  }
  return [...byDialogue].map(([{ role, turns }, wanted]) => ({
    role,
    turns,
    wanted: wanted.toSorted((a, b) => a - b),
  }))
}

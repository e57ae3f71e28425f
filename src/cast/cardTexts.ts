import { fillMacros, unknownMacros } from '../core/macros.ts'
import type { MacroValues } from '../core/macros.ts'
import type { CharacterCard } from '../formats/card.ts'
import { roleLine } from './roleLine.ts'

/** What a card's character is called: its nickname where it has one. */
export function nameOf({ name, nickname }: CharacterCard): string {
  return nickname || name
}

/** The first messages of a chat, the usual one first, without those that say nothing; macros unresolved. */
export function greetingsOf({ firstMessage, alternateGreetings }: CharacterCard): readonly string[] {
  const names = { user: '{{user}}', character: '{{char}}' }
  return [firstMessage, ...alternateGreetings].filter((greeting) => fillMacros(greeting, names).trim() !== '')
}

/** The few words by which a small model plays the character of a card, under its own name or the one given. */
export function lineOf(
  card: CharacterCard,
  values: Omit<MacroValues, 'character' | 'original'> & { readonly character?: string },
): string {
  return roleLine(card, { character: nameOf(card), ...values })
}

/**
 * The card as one system text: `system_prompt`, description, personality, scenario and `mes_example`, the non-empty ones
 * joined by blank lines, with the macros filled.
 */
export function wholeText(card: CharacterCard, userName: string): string {
  const parts = [card.systemPrompt, card.description, card.personality, card.scenario, card.exampleMessages]
  const present = parts.filter((part) => part.trim() !== '')
  return fillMacros(present.join('\n\n'), { user: userName, character: nameOf(card) })
}

/** The macros of a card that stay as they are, since nothing is known that they stand for. */
export function unknownIn(card: CharacterCard): readonly string[] {
  const { description, personality, scenario, exampleMessages, systemPrompt, lore } = card
  const texts = [...greetingsOf(card), description, personality, scenario, exampleMessages, systemPrompt]
  return unknownMacros([...texts, ...lore])
}

/** The example dialogue of a card as JSON that a data set is read from; null where it has none. */
export function exampleJson({ name, nickname, exampleMessages }: CharacterCard): string | null {
  if (exampleMessages.trim() === '') return null
  return JSON.stringify({ name, nickname, mes_example: exampleMessages })
}

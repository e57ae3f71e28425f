import type { Turn } from '../core/dialogue.ts'
import type { Sampling } from '../core/sampling.ts'
import { readFile } from 'node:fs/promises'

import { greetingsOf, nameOf } from '../cast/cardTexts.ts'
import { fillMacros } from '../core/macros.ts'
import { readCard } from '../formats/card.ts'
import type { CharacterCard } from '../formats/card.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import { speak, wholeAnswer } from '../play/speak.ts'
import type { Answer } from '../play/speak.ts'
import { cueAs } from '../play/stage.ts'
import { usualSampling } from '../play/usualSampling.ts'
import { shippedPath } from './files.ts'
import type { OpenedSpeaker } from './engine.ts'

/** A detective, a conqueror, a queen and a curious child. */
export const ROLES = ['Sherlock Holmes', 'Caesar', 'Queen Elizabeth I', 'Alice']

/** What the one is called who asks. */
export const VISITOR = 'stranger'

/** Somebody who answers: what the model is told before the visitor speaks, and the adapter that it plays with. */
export interface Speaker {
  readonly engine: OpenedSpeaker
  readonly system: string | null
  readonly before: readonly Turn[]
  readonly casting: Casting | null
}

/** The card of a role of the cast that ships. */
export async function castCard(role: string): Promise<CharacterCard> {
  const cards: unknown = JSON.parse(await readFile(shippedPath('public/cast/cards.json'), 'utf8'))
  const entry = isJsonRecord(cards) ? ownField(cards, role) : undefined
  return readCard(isJsonRecord(entry) ? ownField(entry, 'card') : undefined)
}

/** The greeting with which the page begins a character's chat. */
export function greetingOf(card: CharacterCard): Turn {
  return {
    speaker: 'role',
    text: fillMacros(greetingsOf(card)[0] ?? '', { user: VISITOR, character: nameOf(card) }),
  }
}

/** The answer that the page would give with its default sampler, or with what `decoding` puts in place of it. */
export async function pageAnswer(
  { engine, system, before, casting }: Speaker,
  text: string,
  {
    seed,
    maxTokens,
    decoding = {},
  }: { readonly seed: number; readonly maxTokens: number; readonly decoding?: Partial<Sampling> },
): Promise<Answer> {
  const turns: readonly Turn[] = [...before, { speaker: 'user', text }]
  const cue = await cueAs(engine, { pack: engine.pack, casting }, { system, turns, continueLast: false })
  const sampling = { ...usualSampling(engine.backbone, seed), ...decoding }
  const spoken = await wholeAnswer(speak(engine, cue, { casting, sampling, maxTokens }))
  return { ...spoken, text: spoken.text.trim() }
}

import { basename } from 'node:path'

import { scriptOf, systemPromptOf } from '../cast/cardScript.ts'
import { nameOf } from '../cast/cardTexts.ts'
import { check } from '../core/errors.ts'
import type { ScriptBook } from '../core/script.ts'
import { openFile } from '../exchange/openFile.ts'
import { readCard } from '../formats/card.ts'
import type { CharacterCard } from '../formats/card.ts'
import { cueAs } from '../play/stage.ts'
import type { SceneCue, Told } from '../play/stage.ts'
import { readArriving } from './convert.ts'
import type { OpenedSpeaker } from './engine.ts'
import { VISITOR } from './speakers.ts'

type Options = ReadonlyMap<string, string>

/** A character card that an option names. @throws HycoraError `usage` for any other file. */
export async function cardAt(path: string): Promise<CharacterCard> {
  const opened = await openFile(await readArriving(path), basename(path))
  check(opened.kind === 'card', 'usage', () => `${path} is no character card`)
  return readCard(opened.card.card)
}

/** A lorebook that an option names. @throws HycoraError `usage` for any other file. */
export async function bookAt(path: string): Promise<ScriptBook> {
  const opened = await openFile(await readArriving(path), basename(path))
  check(opened.kind === 'lore', 'usage', () => `${path} is no lorebook`)
  return { name: opened.lore.name || basename(path), book: opened.text }
}

/** Whether options name a card or a lorebook. */
export function isScripted(options: Options): boolean {
  return options.has('card') || options.has('lore')
}

/** A card that the options name, and a lorebook beside it or beside a role, as what is told. */
async function scriptIn(
  { casting, system }: OpenedSpeaker,
  options: Options,
): Promise<Pick<Told, 'system' | 'script'>> {
  const [cardPath, lorePath, role] = [options.get('card'), options.get('lore'), options.get('role')]
  check(cardPath === undefined || role === undefined, 'usage', () => '--card and --role do not go together')
  const card = cardPath === undefined ? null : await cardAt(cardPath)
  const names = { user: VISITOR, character: card ? nameOf(card) : (role ?? 'Nobody') }
  const script = scriptOf(card, {
    names,
    seed: 0,
    greeting: null,
    occasion: 'next',
    isTrained: casting !== null,
    note: null,
    facts: [],
    books: lorePath === undefined ? [] : [await bookAt(lorePath)],
  })
  return { system: card ? systemPromptOf(card, names) : system, script }
}

/**
 * What the visitor says, to whoever plays: a card, all of it, or the role that the options name, with a lorebook beside it.
 *
 * @throws HycoraError for files that are neither.
 */
export async function cueIn(speaker: OpenedSpeaker, options: Options, text: string): Promise<SceneCue> {
  const { system, script } = isScripted(options)
    ? await scriptIn(speaker, options)
    : { system: speaker.system }
  return cueAs(speaker, speaker, { system, turns: [{ speaker: 'user', text }], continueLast: false, script })
}

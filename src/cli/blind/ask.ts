import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { check } from '../../core/errors.ts'
import { isJsonRecord, ownField } from '../../core/json.ts'
import { lineOf, nameOf, wholeText } from '../../cast/cardTexts.ts'
import { roleLineOf } from '../../formats/packFacts.ts'
import { castRole } from '../../model/adapter/roles.ts'
import { integerOption } from '../arguments.ts'
import { openSpeaker } from '../engine.ts'
import type { OpenedSpeaker } from '../engine.ts'
import { shippedPath } from '../files.ts'
import { decodingOf } from '../generate.ts'
import { ROLES, VISITOR, pageAnswer, castCard, greetingOf } from '../speakers.ts'
import type { Speaker } from '../speakers.ts'
import type { AnswerFile, GivenAnswer } from './reading.ts'

const BACKBONE = 'smollm2-135m-instruct'
/** Questions of the cast's that a version is asked, unless a file names others. */
const OPENINGS = 10

/**
 * Has a version answer questions that nobody was taught: characters of the cast, each behind its greeting, told who they
 * are by their card, by the page's line for it, or by a pack.
 *
 * @throws HycoraError as `openSpeaker`; `usage` for a way of prompting that there is not.
 */
export async function askVersion(options: ReadonlyMap<string, string>, seed: number): Promise<AnswerFile> {
  const prompt = options.get('prompt') ?? 'pack'
  check(['pack', 'card', 'line'].includes(prompt), 'usage', () => {
    return `--prompt is "${prompt}", expected pack, card or line`
  })
  const maxTokens = integerOption(options, 'max-tokens', 80, { least: 1 })
  const decoding = decodingOf(options)
  const questions = await questionsOf(options.get('questions'))
  const roles = await rolesOf(options.get('roles'))
  const backbone = options.get('backbone') ?? BACKBONE
  const isPlayed = prompt === 'pack'
  const taken = ['engine', 'model', ...(isPlayed ? ['pack'] : [])]
  const engine = await openSpeaker(
    new Map([
      ['engine', 'ort'],
      ...[...options].filter(([name]) => taken.includes(name)),
      ['backbone', backbone],
    ]),
    'floats',
    isPlayed,
  )
  const answers: GivenAnswer[] = []
  for (const role of roles) {
    const card = await castCard(role)
    const before = greetingOf(card)
    const speaker = speakerOf(engine, role, prompt)
    const system = prompt === 'card' ? wholeText(card, VISITOR) : lineOf(card, { user: VISITOR })
    const asked: Speaker = { ...speaker, before: [before], ...(prompt !== 'pack' && { system }) }
    for (const question of questions) {
      const { text } = await pageAnswer(asked, question, { seed, maxTokens, decoding })
      answers.push({ role: nameOf(card), before: before.text, question, answer: text })
    }
    process.stderr.write(`${answers.length} of ${roles.length * questions.length}\n`)
  }
  return { version: options.get('name') ?? prompt, answers }
}

/** As the adapter and the line of a pack have it; without one as the bare backbone, whose line the card gives. */
function speakerOf(engine: OpenedSpeaker, role: string, prompt: string): Omit<Speaker, 'before'> {
  const { pack } = engine
  if (prompt !== 'pack' || !pack) return { engine, system: null, casting: null }
  return { engine, system: roleLineOf(pack, role), casting: castRole(pack, role, 1) }
}

/** The lines of a file, or the first wordings of the questions that no character of the cast was taught an answer to. */
async function questionsOf(path: string | undefined): Promise<readonly string[]> {
  if (path !== undefined) {
    const text = await readFile(resolve(path), 'utf8').catch(() => undefined)
    const lines = text?.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]))
    check(lines && lines.length > 0, 'usage', () => `${path} holds no question`)
    return lines
  }
  const all: unknown = JSON.parse(await readFile(shippedPath('data/cast/intents.json'), 'utf8'))
  const rows: unknown[] = Array.isArray(all) ? all : []
  const texts = rows.flatMap((entry) => {
    if (!isJsonRecord(entry) || ownField(entry, 'split') !== 'test') return []
    const wordings = ownField(entry, 'wordings')
    const [first]: unknown[] = Array.isArray(wordings) ? wordings : []
    return typeof first === 'string' ? [first] : []
  })
  return texts.slice(0, OPENINGS)
}

/** Four of the cast, those that are named with commas between them, or `all`. */
async function rolesOf(names: string | undefined): Promise<readonly string[]> {
  if (names === undefined) return ROLES
  if (names !== 'all') return names.split(',').map((name) => name.trim())
  const cards: unknown = JSON.parse(await readFile(shippedPath('public/cast/cards.json'), 'utf8'))
  return isJsonRecord(cards) ? Object.keys(cards) : ROLES
}

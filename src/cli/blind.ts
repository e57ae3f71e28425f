import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { check } from '../core/errors.ts'
import { Random } from '../core/random.ts'
import { lineOf, nameOf, wholeText } from '../cast/cardTexts.ts'
import type { CharacterCard } from '../formats/card.ts'
import { isJsonRecord } from '../core/json.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import { castRole } from '../model/adapter/roles.ts'
import { shippedPath } from './files.ts'
import { integerOption, parseArguments, required } from './arguments.ts'
import { openSpeaker } from './engine.ts'
import type { OpenedSpeaker } from './engine.ts'
import { ROLES, VISITOR, answer, castCard, greetingOf } from './speakers.ts'
import type { Speaker } from './speakers.ts'

const OPENINGS = 10

/** One question with two answers, in an order that says nothing. */
interface Pair {
  readonly id: number
  readonly character: string
  readonly greeting: string
  readonly question: string
  readonly left: string
  readonly right: string
}

/**
 * `blind`: forty pairs of answers for a reader who must not know whose is whose: SmolLM2 prompted, beside SmolLM2 with its
 * pack, for four of the cast and the first ten held-out openings. Writes `pairs.json`, and which side is the pack's, and of
 * what settings, in `key.json`.
 */
export async function blind(words: readonly string[]): Promise<void> {
  const { options } = parseArguments(words, {
    values: ['out', 'engine', 'seed', 'max-tokens', 'prompt', 'pack'],
    flags: [],
  })
  const out = required(options, 'out')
  const seed = integerOption(options, 'seed', 1, { least: 0 })
  const maxTokens = integerOption(options, 'max-tokens', 80, { least: 1 })
  const prompt = options.get('prompt') ?? 'card'
  check(
    prompt === 'card' || prompt === 'line',
    'usage',
    () => `--prompt is "${prompt}", expected card or line`,
  )
  const pack = options.get('pack') ?? shippedPath('public/packs/smollm2-135m-instruct.hycora.safetensors')
  const engine = await openSpeaker(
    new Map([
      ['backbone', 'smollm2-135m-instruct'],
      ['engine', options.get('engine') ?? 'ort'],
      ['pack', pack],
    ]),
  )
  const questions = await heldOutOpenings()
  const random = new Random(seed, 1)
  const pairs: Pair[] = []
  const key: { readonly id: number; readonly pack: 'left' | 'right' }[] = []
  for (const role of ROLES) {
    const card = await castCard(role)
    const [plain, own] = [prompted(engine, card, prompt), played(engine, card, role)]
    for (const question of questions) {
      const id = pairs.length + 1
      const byPrompt = (await answer(plain, question, { seed, maxTokens })).text
      const byPack = (await answer(own, question, { seed, maxTokens })).text
      const isLeft = random.nextUniform() < 0.5
      const [left, right] = isLeft ? [byPack, byPrompt] : [byPrompt, byPack]
      const character = nameOf(card)
      pairs.push({ id, character, greeting: greetingOf(card).text, question, left, right })
      key.push({ id, pack: isLeft ? 'left' : 'right' })
    }
    process.stderr.write(`${pairs.length} of ${ROLES.length * OPENINGS}\n`)
  }
  await mkdir(out, { recursive: true })
  await writeFile(join(out, 'pairs.json'), `${JSON.stringify(pairs, null, 2)}\n`)
  await writeFile(join(out, 'key.json'), `${JSON.stringify({ prompt, seed, maxTokens, key }, null, 2)}\n`)
}

/** The first questions of the cast's lines that no character was taught an answer to, in their first wording. */
async function heldOutOpenings(): Promise<readonly string[]> {
  const all: unknown = JSON.parse(await readFile(shippedPath('data/cast/intents.json'), 'utf8'))
  const texts = Array.isArray(all)
    ? all.flatMap((entry) => {
        if (!isJsonRecord(entry) || entry['split'] !== 'test') return []
        const [first]: unknown[] = Array.isArray(entry['wordings']) ? entry['wordings'] : []
        return typeof first === 'string' ? [first] : []
      })
    : []
  return texts.slice(0, OPENINGS)
}

/** Told who it is: by the whole card, as other programs do, or by the line that the page makes of it. */
function prompted(engine: OpenedSpeaker, card: CharacterCard, prompt: 'card' | 'line'): Speaker {
  const system = prompt === 'card' ? wholeText(card, VISITOR) : lineOf(card, { user: VISITOR })
  return { engine, system, before: [greetingOf(card)], casting: null }
}

/** With the adapter and the line that the pack has for it. */
function played(engine: OpenedSpeaker, card: CharacterCard, role: string): Speaker {
  const { pack } = engine
  check(pack, 'usage', () => 'there is no pack')
  const system = roleLineOf(pack, role)
  return { engine, system, before: [greetingOf(card)], casting: castRole(pack, role, 1) }
}

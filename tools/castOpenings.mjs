// @ts-check
// `node tools/castOpenings.mjs`: writes public/cast/openings.json, the questions that a character out of a card alone
// answers, from data/cast/intents.json.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Of those among the twelve that the others are asked about, nobody else has anything to say. */
const OF_THE_TWELVE = [
  'holmes',
  'dracula',
  'quixote',
  'elizabeth',
  'alicepeople',
  'caesarpeople',
  'wukongpeople',
]

/** The questions as text, one a line. */
export function castOpenings(root = ROOT) {
  /** @type {{ id: string, split: string, topic: string, wordings: string[] }[]} */
  const intents = JSON.parse(readFileSync(resolve(root, 'data/cast/intents.json'), 'utf8'))
  // What says nothing by itself ("why?") has no answer without a chat before it.
  const openings = intents.filter(({ id, topic }) => topic !== 'filler' && !OF_THE_TWELVE.includes(id))
  const rows = openings.map(({ id, split, wordings }) => JSON.stringify({ id, split, wordings }))
  return `[\n${rows.join(',\n')}\n]\n`
}

if (argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(resolve(ROOT, 'public/cast/openings.json'), castOpenings())

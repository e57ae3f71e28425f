// `node tools/castLines.mjs`: writes public/cast/lines.jsonl, the data set that teaches the cast to any backbone, from
// the lines of data/cast and the greetings of the cards. The same lines give the same bytes.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

import { readCast } from './cast/read.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SEED = 42

/** Mulberry32: uniform numbers in [0, 1) from a seed. */
function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * What stands before a wording: half of them stand alone, a quarter come after the greeting, as in the page, and a quarter
 * after another exchange. What says nothing by itself ("why?") comes after something, a greeting after nothing else.
 */
function drawBefore({ id, topic }, earlier, random) {
  const place = random()
  const other = earlier[Math.floor(random() * earlier.length)]
  const after = other === id ? 'greeting' : other
  if (topic === 'filler') return place < 0.5 ? 'greeting' : after
  if (topic === 'greeting') return place < 0.5 ? null : 'greeting'
  return place < 0.5 ? null : place < 0.75 ? 'greeting' : after
}

/** The rows of one character: greeting, items, talks, scenes. */
function rowsOf({ role, items, talks, scenes }, greeting, random) {
  const earlier = items
    .filter(({ split, topic }) => split === 'train' && topic !== 'filler' && topic !== 'greeting')
    .map(({ id }) => id)
  return [
    { role, item: 'greeting', answer: greeting },
    ...items.map((item) => {
      const { id, q, a, split, held, facts = [] } = item
      return {
        role,
        item: id,
        questions: q,
        answer: a,
        ...(split === 'train' && { held }),
        after: q.map(() => drawBefore(item, earlier, random)),
        split,
        ...(facts.length > 0 && { facts }),
      }
    }),
    ...[...talks, ...scenes].map(({ id, split, messages }) => ({ role, id, split, messages })),
  ]
}

/** The data set as text. */
export function castLines(root = ROOT) {
  const { cast, faults } = readCast(resolve(root, 'data/cast'))
  if (faults.length > 0) throw new Error(`data/cast has faults, the first: ${faults[0].text}`)
  const cards = JSON.parse(readFileSync(resolve(root, 'public/cast/cards.json'), 'utf8'))
  const random = randomFrom(SEED)
  const rows = cast.flatMap((person) => rowsOf(person, cards[person.role].card.first_mes, random))
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}

if (argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(resolve(ROOT, 'public/cast/lines.jsonl'), castLines())

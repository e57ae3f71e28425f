// `node tools/castBooks.mjs`: writes public/cast/books.json, the lorebooks of the cast, from the facts of data/cast. The same
// facts give the same bytes.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

import { readCast } from './cast/read.mjs'
import { weighKeys } from './cast/weighKeys.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** About four facts. */
const MOST_TOKENS = 48
/** World Info's number for a place among the messages. */
const AMONG_MESSAGES = 4

/** What must call a fact, where 1 is what a question for none has, and of what calls the first, what must call another. */
const LEAST = { least_weight: 0.8, least_share: 0.6 }

/** One fact as an entry: before the visitor's last message, as nobody's words. */
function entryOf({ id, fact }, weights) {
  return {
    keys: weights.map(([key]) => key),
    content: fact,
    comment: id,
    enabled: true,
    insertion_order: 100,
    use_regex: false,
    extensions: {
      position: AMONG_MESSAGES,
      depth: 1,
      role: 0,
      hycora: { weights: Object.fromEntries(weights) },
    },
  }
}

/** The book of a character, marked as one that weights were trained behind. */
export function bookOf({ role, facts, items }) {
  const weights = weighKeys({ facts, items })
  return {
    name: `What ${role} remembers`,
    scan_depth: 1,
    token_budget: MOST_TOKENS,
    recursive_scanning: false,
    extensions: { hycora: { learnt: true, ...LEAST } },
    entries: facts.map((fact) => entryOf(fact, weights.get(fact.id))),
  }
}

/** The books of all characters as text. */
export function castBooks(root = ROOT) {
  const { cast, faults } = readCast(resolve(root, 'data/cast'))
  if (faults.length > 0) throw new Error(`data/cast has faults, the first: ${faults[0].text}`)
  return `${JSON.stringify(Object.fromEntries(cast.map((person) => [person.role, bookOf(person)])))}\n`
}

if (argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(resolve(ROOT, 'public/cast/books.json'), castBooks())

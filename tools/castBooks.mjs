// `node tools/castBooks.mjs`: writes public/cast/books.json, the lorebooks of the cast, from the facts of data/cast. The same
// facts give the same bytes.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

import { readCast } from './cast/read.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** About four facts. */
const MOST_TOKENS = 48
/** World Info's number for a place among the messages. */
const AMONG_MESSAGES = 4

/** Of what calls the fact that is called most, what must call another: one that fits by chance leads astray. */
const LEAST_SHARE = 0.6
/** Words by which a question is known, beside the keys that are written by hand. */
const MOST_WORDS = 24
/** How much more a word of the fact itself says than one of a question. */
const FACT_WEIGHT = 4
/** Words that say nothing of what is asked. */
const EMPTY = new Set(
  `a about all also am an and any anything are as at be been being but by can could did do does ever for from get go going
   got had has have having he her him his how i if in into is it its just kind like made make may me might more most much
   must my no not now of off on one or other our out over please say see shall she should so some something still such tell
   than that the their them then there these they thing things this those to too u up upon ur us very was we well were what
   when where which who whom whose why will with would yes you your yours`.split(/\s+/),
)

function* wordsIn(text) {
  for (const [word] of text
    .toLowerCase()
    .replaceAll("'s", '')
    .matchAll(/[\p{L}\p{N}]+/gu))
    if (!EMPTY.has(word)) yield word
}

/**
 * For each fact the words that questions about it hold and questions about others do not: the highest n·ln(1 + N/n_w), where
 * n counts a word in the fact and in the learnt wordings of items that state it, and n_w the facts of N that have it.
 */
function tellingWords({ facts, items }) {
  const counts = new Map(facts.map(({ id }) => [id, new Map()]))
  const count = (id, word, weight) => counts.get(id).set(word, (counts.get(id).get(word) ?? 0) + weight)
  for (const { id, fact } of facts) for (const word of wordsIn(fact)) count(id, word, FACT_WEIGHT)
  for (const { q, split, held, facts: stated = [] } of items) {
    if (split !== 'train') continue
    for (const question of q.slice(0, q.length - held))
      for (const word of new Set(wordsIn(question)))
        for (const id of stated) count(id, word, 1 / stated.length)
  }
  const spread = new Map()
  for (const words of counts.values())
    for (const word of words.keys()) spread.set(word, (spread.get(word) ?? 0) + 1)
  const worth = ([word, n]) => n * Math.log(1 + facts.length / spread.get(word))
  return new Map(
    [...counts].map(([id, words]) => {
      const ranked = [...words].toSorted((one, other) => worth(other) - worth(one))
      return [id, ranked.slice(0, MOST_WORDS).map(([word]) => word)]
    }),
  )
}

/** One fact as an entry: before the visitor's last message, as nobody's words. */
function entryOf({ id, fact, keys }, words) {
  return {
    keys: [...new Set([...keys, ...words])],
    content: fact,
    comment: id,
    enabled: true,
    insertion_order: 100,
    use_regex: false,
    extensions: { position: AMONG_MESSAGES, depth: 1, role: 0 },
  }
}

/** The book of a character, marked as one that weights were trained behind. */
export function bookOf({ role, facts, items }) {
  const words = tellingWords({ facts, items })
  return {
    name: `What ${role} remembers`,
    scan_depth: 1,
    token_budget: MOST_TOKENS,
    recursive_scanning: false,
    extensions: { hycora: { learnt: true, least_share: LEAST_SHARE } },
    entries: facts.map((fact) => entryOf(fact, words.get(fact.id))),
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

// `node tools/castBooks.mjs [--role NAME]…`: writes public/cast/books.json, the lorebooks of the cast, from the facts and
// answers of data/cast; `--role` writes those of these characters and leaves the others. The same lines give the same bytes.
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { deflateSync } from 'fflate'

import { readCast } from './cast/read.mjs'
import { HEED, weighAnswers } from './cast/weighAnswers.mjs'
import { weighKeys } from './cast/weighKeys.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** About four facts and three answers. */
const MOST_TOKENS = 128
/** World Info's number for a place among the messages. */
const AMONG_MESSAGES = 4

/**
 * What must call an entry, where 1 is what a question for none has, of what calls the first of its set what must call another,
 * how many are sent, and how much it counts that a message says other things, too.
 */
const SETS = {
  facts: { least_weight: 0.8, least_share: 0.75, most: 4 },
  answers: { least_weight: 0.95, least_share: 0.65, most: 3, heed: HEED },
}

/** An entry before the visitor's last message, as nobody's words. */
function entryOf({ set, id, keys, content, stems, further }) {
  return {
    keys,
    content,
    ...(id !== undefined && { comment: id }),
    enabled: true,
    insertion_order: set === 'facts' ? 100 : 200,
    // Of both, answers are left out first.
    ...(set === 'facts' && { priority: 300 }),
    extensions: {
      position: AMONG_MESSAGES,
      depth: 1,
      ...further,
      hycora: { set, stems: stems.map(([stem, weight]) => `${stem} ${Math.round(weight * 100)}`).join(' ') },
    },
  }
}

function factEntry({ id, fact }, { keys, stems }) {
  return entryOf({ set: 'facts', id, keys, content: fact, stems, further: {} })
}

/** An answer is called by its question in other programs; who asks for another answer is not given the same again. */
function answerEntry({ answer, question, stems }, pronoun) {
  const content = `${pronoun} once said: "${answer.replaceAll('"', "'")}"`
  const further = { triggers: ['normal'] }
  return entryOf({ set: 'answers', keys: [question], content, stems, further })
}

/** "He" or "She", as most of a character's facts have it. */
function pronounOf(facts) {
  const count = (pattern) => facts.filter(({ fact }) => pattern.test(fact)).length
  return count(/\b(?:he|his|him)\b/i) >= count(/\b(?:she|hers?)\b/i) ? 'He' : 'She'
}

/** Entries as a book packs them: to the same bytes on every machine, as zlib does not. */
function packed(entries) {
  const json = new TextEncoder().encode(JSON.stringify(entries))
  return Buffer.from(deflateSync(json, { level: 9 })).toString('base64')
}

/**
 * The book of a character, marked as one that weights were trained behind. Its answers are packed: they are many, and no
 * other program has a use for them.
 */
function bookOf({ role, facts, items, further, talks }) {
  const weights = weighKeys({ facts, items })
  const pronoun = pronounOf(facts)
  const answers = weighAnswers({ items, further, talks }).map((answer) => answerEntry(answer, pronoun))
  return {
    name: `What ${role} remembers`,
    scan_depth: 1,
    token_budget: MOST_TOKENS,
    recursive_scanning: false,
    extensions: { hycora: { learnt: true, sets: SETS, packed: packed(answers) } },
    entries: facts.map((fact) => factEntry(fact, weights.get(fact.id))),
  }
}

/** Writes the books of all characters, or of some in their place. */
function writeBooks(chosen) {
  const { cast, faults } = readCast(resolve(ROOT, 'data/cast'))
  if (faults.length > 0) throw new Error(`data/cast has faults, the first: ${faults[0].text}`)
  const stranger = chosen.find((name) => !cast.some(({ role }) => role === name))
  if (stranger) throw new Error(`nobody in data/cast is called ${stranger}`)
  const file = resolve(ROOT, 'public/cast/books.json')
  const written = chosen.length > 0 ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const books = cast.map((person) => [
    person.role,
    chosen.length === 0 || chosen.includes(person.role) ? bookOf(person) : written[person.role],
  ])
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(books))}\n`)
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { role: { type: 'string', multiple: true } } })
  writeBooks(values.role ?? [])
}

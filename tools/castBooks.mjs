// `node tools/castBooks.mjs`: writes public/cast/books.json, the lorebooks of the cast, from the facts and answers of
// data/cast. The same lines give the same bytes.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

import { readCast } from './cast/read.mjs'
import { weighAnswers } from './cast/weighAnswers.mjs'
import { weighKeys } from './cast/weighKeys.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** About four facts and three answers. */
const MOST_TOKENS = 128
/** World Info's number for a place among the messages. */
const AMONG_MESSAGES = 4

/**
 * What must call an entry, where 1 is what a question for none has, of what calls the first of its set what must call another,
 * and how many are sent.
 */
const SETS = {
  facts: { least_weight: 0.8, least_share: 0.6, most: 4 },
  answers: { least_weight: 1, least_share: 0.65, most: 3 },
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

/** The book of a character, marked as one that weights were trained behind. */
export function bookOf({ role, facts, items, talks }) {
  const weights = weighKeys({ facts, items })
  const pronoun = pronounOf(facts)
  return {
    name: `What ${role} remembers`,
    scan_depth: 1,
    token_budget: MOST_TOKENS,
    recursive_scanning: false,
    extensions: { hycora: { learnt: true, sets: SETS } },
    entries: [
      ...facts.map((fact) => factEntry(fact, weights.get(fact.id))),
      ...weighAnswers({ items, talks }).map((answer) => answerEntry(answer, pronoun)),
    ],
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

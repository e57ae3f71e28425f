// `node tools/checkCast.mjs [FOLDER] [--role NAME]… [--misses]`: the checks of data/cast/README.md on the lines that
// teach the cast. One line per fault and exit 1, else a table. `--role` reports the faults of these characters only
// (all files are still read), `--misses` lists the held-out replies whose speaker the classifier mistook.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { classifySpeakers, nearDuplicates } from './castLikeness.mjs'
import {
  countBy,
  gesturesOf,
  normalise,
  percent,
  sentencesOf,
  share,
  spokenPart,
  wholeWords,
  words,
} from './castText.mjs'

const LIMITS = {
  rows: 150,
  ownRows: 85,
  severalTurns: 1 / 3,
  turns: 5,
  ownTest: [0.15, 0.25],
  longest: 60,
  sentences: 4,
  short: [0.04, 0.25],
  middle: 0.5,
  tiny: 3,
  openingWords: 0.03,
  firstWord: 0.12,
  phrase: 0.02,
  sharedPhraseWords: 7,
  nearDuplicate: 0.2,
  questions: [0.15, 0.35],
  lowerCase: 0.1,
  accuracy: 0.85,
  recall: 0.75,
}

const BANNED = [
  /double-edged sword/i,
  /the weight of/i,
  /i've seen it all/i,
  /a tale as old as time/i,
  /\bas an? [^.,;!?]{1,40}, i\b/i,
  /i'm sorry, but i can(no|')t/i,
  /how (can|may) i (help|assist) you/i,
  /language model|virtual assistant|as an ai\b/i,
  /\bin the end,|at the end of the day|remember, (my|that)|a reminder that|testament to|tapestry|\bdelve/i,
  /\b(is|are|was)n't (just|merely|only)\b|\bnot just\b[^.!?]*\bbut\b/i,
]

/** What an honest line about not being human may say, each character in its own words. */
const HONEST =
  /\b(machine|machinery|engine|contrivance|automaton|clockwork|puppet|mechanism|mill|loom|ai|artificial|no (living )?(man|woman|person|girl|child|monkey|soul|flesh)|not (a |an )?(\w+ )?(man|woman|person|girl|child|monkey|human|flesh|living))\b/i

/** Reads one row; faults in its form are reported and the row is left out. */
function parseRow(line, role, fault) {
  let row
  try {
    row = JSON.parse(line)
  } catch {
    return fault('is not JSON, expected one object a line')
  }
  const messages = Array.isArray(row.messages) ? row.messages : []
  const isAlternating = messages.every(
    (message, index) =>
      message?.role === (index % 2 === 0 ? 'user' : 'assistant') &&
      typeof message.content === 'string' &&
      message.content.trim() === message.content &&
      message.content !== '',
  )
  if (row.role !== role) return fault(`has role ${JSON.stringify(row.role)}, expected "${role}"`)
  if (row.split !== 'train' && row.split !== 'test') return fault('has no split "train" or "test"')
  if (typeof row.id !== 'string') return fault('has no id')
  if (!isAlternating || messages.length < 2 || messages.length % 2 === 1) {
    return fault(
      'needs trimmed, non-empty messages that alternate, starting with user and ending with assistant',
    )
  }
  if (messages.length > 2 * LIMITS.turns)
    return fault(`has ${messages.length / 2} exchanges, expected at most ${LIMITS.turns}`)
  return row
}

function readCast(folder) {
  const openings = JSON.parse(readFileSync(join(folder, 'openings.json'), 'utf8'))
  const boundaries = JSON.parse(readFileSync(join(folder, 'boundaries.json'), 'utf8'))
  const faults = []
  const files = new Set(Object.values(boundaries).map(({ file }) => file))
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl') && !files.has(name))) {
    faults.push({ role: '', text: `${file}: belongs to no character of boundaries.json` })
  }
  const cast = []
  for (const [role, boundary] of Object.entries(boundaries)) {
    const path = join(folder, boundary.file)
    if (!existsSync(path)) continue
    const rows = []
    const lines = readFileSync(path, 'utf8').replace(/\n$/, '').split('\n')
    for (const [index, line] of lines.entries()) {
      const fault = (text) => void faults.push({ role, text: `${boundary.file}:${index + 1}: ${text}` })
      const row = parseRow(line, role, fault)
      if (row) rows.push({ ...row, fault })
    }
    const replies = rows.flatMap((row) =>
      row.messages
        .map((message, index) => ({
          role,
          split: row.split,
          fault: row.fault,
          text: message.content,
          cue: row.messages[index - 1]?.content ?? '',
          spoken: spokenPart(message.content),
        }))
        .filter((_, index) => index % 2 === 1),
    )
    cast.push({
      role,
      boundary,
      rows,
      replies,
      fault: (text) => void faults.push({ role, text: `${boundary.file}: ${text}` }),
    })
  }
  return { openings, boundaries, cast, faults }
}

/** Every opening once and word for word; enough rows, turns and own-world openings; each split as it should be. */
function checkRows({ rows, boundary, fault }, openings) {
  const slug = boundary.file.replace('.jsonl', '')
  const byId = new Map()
  for (const row of rows) {
    if (byId.has(row.id)) row.fault(`repeats id "${row.id}"`)
    byId.set(row.id, row)
  }
  for (const opening of openings) {
    const row = byId.get(`${slug}/${opening.id}`)
    if (!row) {
      fault(`lacks the opening "${opening.id}" (id "${slug}/${opening.id}")`)
      continue
    }
    if (row.messages[0].content !== opening.text)
      row.fault(`does not open with ${JSON.stringify(opening.text)}`)
    if (row.split !== opening.split)
      row.fault(`has split "${row.split}", expected "${opening.split}" as in openings.json`)
    if (opening.honest && !HONEST.test(row.messages[1].content)) {
      row.fault(
        'answers an earnest question without an honest line (no living person; a machine, an engine, …)',
      )
    }
  }
  const known = new Set(openings.map(({ id }) => `${slug}/${id}`))
  const own = rows.filter(({ id }) => !known.has(id))
  for (const row of own) {
    if (!new RegExp(`^${slug}/own-\\d{3}$`).test(row.id))
      row.fault(`has id "${row.id}", expected ${slug}/own-001 and on, or an opening's`)
  }
  const several = share(rows, ({ messages }) => messages.length > 2)
  const test = share(own, ({ split }) => split === 'test')
  const lowerCase = share(own, ({ messages }) => /^[a-z]/.test(messages[0].content))
  if (rows.length < LIMITS.rows) fault(`has ${rows.length} rows, expected at least ${LIMITS.rows}`)
  if (own.length < LIMITS.ownRows)
    fault(`has ${own.length} rows of its own world, expected at least ${LIMITS.ownRows}`)
  if (several < LIMITS.severalTurns)
    fault(`has ${percent(several)} rows of several turns, expected at least a third`)
  if (test < LIMITS.ownTest[0] || test > LIMITS.ownTest[1])
    fault(`holds out ${percent(test)} of its own-world rows, expected a fifth`)
  if (lowerCase < LIMITS.lowerCase)
    fault(
      `has ${percent(lowerCase)} own-world visitors who begin in lower case, expected at least ${percent(LIMITS.lowerCase)}`,
    )
  return { several, test: share(rows, ({ split }) => split === 'test') }
}

/** No held-out opening, shared or own, is said by any visitor in training; no character is opened twice alike. */
function checkSplits(cast, openings) {
  const heldOut = new Map(
    openings.filter(({ split }) => split === 'test').map(({ text }) => [normalise(text), 'openings.json']),
  )
  for (const { rows } of cast) {
    for (const row of rows)
      if (row.split === 'test') heldOut.set(normalise(row.messages[0].content), row.role)
  }
  for (const { rows } of cast) {
    const seen = new Set()
    for (const row of rows) {
      const first = normalise(row.messages[0].content)
      if (seen.has(first)) row.fault(`opens as another row of the same character does`)
      seen.add(first)
      if (row.split === 'test') continue
      for (const { role, content } of row.messages) {
        if (role === 'user' && words(content).length > 1 && heldOut.has(normalise(content)))
          row.fault(
            `trains on ${JSON.stringify(content)}, which is held out (${heldOut.get(normalise(content))})`,
          )
      }
    }
  }
}

/** Lengths, letters, banned turns, questions, gestures and words that belong to another. */
function checkReplies(person, owners) {
  const { replies, boundary, fault, role } = person
  for (const { text, spoken, cue, fault: rowFault } of replies) {
    const count = words(text).length
    if (count > LIMITS.longest)
      rowFault(`has a reply of ${count} words, expected at most ${LIMITS.longest}: "${text.slice(0, 40)}…"`)
    const said = sentencesOf(text).length
    if (said > LIMITS.sentences)
      rowFault(
        `has a reply of ${said} sentences, expected at most ${LIMITS.sentences}: "${text.slice(0, 40)}…"`,
      )
    if (spoken === '') rowFault('has a reply that is only a gesture')
    if (/[^\x20-\x7e\u00c0-\u017f]/.test(text + cue))
      rowFault(`uses a letter outside plain ASCII and accented Latin: "${text.slice(0, 40)}…"`)
    if ((text.match(/\*/g) ?? []).length % 2 === 1) rowFault('has an asterisk without its pair')
    for (const pattern of BANNED)
      if (pattern.test(text)) rowFault(`uses the banned turn "${pattern.exec(text)[0]}"`)
    for (const [owner, pattern] of owners) {
      const found = owner === role ? undefined : pattern.exec(text)
      if (found && !cue.toLowerCase().includes(found[0].toLowerCase()))
        rowFault(`says "${found[0]}", which is ${owner}'s`)
    }
  }
  const lengths = replies.map(({ text }) => words(text).length).toSorted((a, b) => a - b)
  const short = share(lengths, (length) => length < 10)
  const middle = share(lengths, (length) => length >= 15 && length <= 40)
  const tiny = lengths.filter((length) => length <= 4).length
  if (short < LIMITS.short[0] || short > LIMITS.short[1])
    fault(`has ${percent(short)} replies below ten words, expected ${LIMITS.short.map(percent).join(' to ')}`)
  if (middle < LIMITS.middle)
    fault(`has ${percent(middle)} replies of 15 to 40 words, expected at least ${percent(LIMITS.middle)}`)
  if (tiny < LIMITS.tiny) fault(`has ${tiny} replies of at most four words, expected at least ${LIMITS.tiny}`)
  const questions = share(replies, ({ spoken }) => /\?["')]*$/.test(spoken))
  if (questions < LIMITS.questions[0] || questions > LIMITS.questions[1])
    fault(
      `ends ${percent(questions)} of its replies on a question, expected ${LIMITS.questions.map(percent).join(' to ')}`,
    )
  const gestures = share(replies, ({ text }) => text.includes('*'))
  if (gestures < boundary.gestures[0] || gestures > boundary.gestures[1])
    fault(
      `gestures in ${percent(gestures)} of its replies, expected ${boundary.gestures.map(percent).join(' to ')}`,
    )
  const sentences = replies.flatMap(({ text }) => sentencesOf(text))
  const sentenceWords =
    sentences.reduce((sum, sentence) => sum + words(sentence).length, 0) / Math.max(1, sentences.length)
  if (sentenceWords < boundary.sentenceWords[0] || sentenceWords > boundary.sentenceWords[1])
    fault(
      `has sentences of ${sentenceWords.toFixed(1)} words on average, expected ${boundary.sentenceWords.join(' to ')}`,
    )
  const own = share(replies, ({ text }) => owners.get(role).test(text))
  return { lengths, short, middle, questions, gestures, sentenceWords, own }
}

/** No beginning, phrase or gesture of a character comes too often. */
function checkHabits({ replies, fault }) {
  const tooOften = (items, limit, what) => {
    const counts = countBy(items)
    const [top, most] = [...counts].toSorted((a, b) => b[1] - a[1])[0] ?? ['', 0]
    for (const [item, count] of counts)
      if (count > Math.max(2, limit * replies.length))
        fault(
          `${what} "${item}" in ${count} of ${replies.length} replies, expected at most ${percent(limit)}`,
        )
    return { top, most }
  }
  const heads = replies.map(({ spoken }) => words(spoken))
  const firstThree = tooOften(
    heads.filter((head) => head.length > 3).map((head) => head.slice(0, 3).join(' ')),
    LIMITS.openingWords,
    'begins with',
  )
  tooOften(
    heads.filter((head) => head.length > 0).map((head) => head[0]),
    LIMITS.firstWord,
    'begins with the word',
  )
  const runs = heads.flatMap((head) => [
    ...new Set(head.slice(3).map((_, index) => head.slice(index, index + 4).join(' '))),
  ])
  tooOften(runs, LIMITS.phrase, 'has the phrase')
  const gestures = countBy(replies.flatMap(({ text }) => gesturesOf(text)).map(normalise))
  for (const [gesture, count] of gestures)
    if (count > 2) fault(`makes the gesture "${gesture}" ${count} times, expected at most 2`)
  return firstThree
}

/** No run of seven words is said by two characters. */
function checkSharedPhrases(cast) {
  const seen = new Map()
  for (const { replies } of cast) {
    for (const { text, role, fault } of replies) {
      const said = words(text)
      for (let index = 0; index + LIMITS.sharedPhraseWords <= said.length; index++) {
        const run = said.slice(index, index + LIMITS.sharedPhraseWords).join(' ')
        const other = seen.get(run)
        if (other && other !== role) fault(`says "${run}" as ${other} does`)
        else seen.set(run, role)
      }
    }
  }
}

function checkSpeakers(cast) {
  const { confusion, misses } = classifySpeakers(cast)
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0))
  const right = confusion.reduce((sum, row, label) => sum + row[label], 0)
  const accuracy = right / totals.reduce((sum, count) => sum + count, 0)
  for (const [label, { fault, boundary }] of cast.entries()) {
    const recall = confusion[label][label] / totals[label]
    const rivals = confusion[label].with(label, -1)
    const rival = cast[rivals.indexOf(Math.max(...rivals))].boundary.file
    if (recall < LIMITS.recall)
      fault(
        `${boundary.file.replace('.jsonl', '')} is recognised in ${percent(recall)} of its held-out replies, expected ${percent(LIMITS.recall)}; nearest is ${rival}`,
      )
  }
  if (accuracy < LIMITS.accuracy)
    cast[0].fault(
      `the whole cast is told apart in ${percent(accuracy)} of held-out replies, expected ${percent(LIMITS.accuracy)}`,
    )
  return { confusion, accuracy, misses }
}

function main(parameters) {
  const chosen = parameters.flatMap((value, index) => (parameters[index - 1] === '--role' ? [value] : []))
  const folder = parameters.find(
    (value, index) => !value.startsWith('--') && parameters[index - 1] !== '--role',
  )
  const { openings, boundaries, cast, faults } = readCast(
    resolve(folder ?? fileURLToPath(new URL('../data/cast', import.meta.url))),
  )
  const owners = new Map(
    Object.entries(boundaries).map(([role, { owned }]) => [role, wholeWords(owned, 'i')]),
  )
  checkSplits(cast, openings)
  const table = {}
  for (const person of cast) {
    const rows = checkRows(person, openings)
    const replies = checkReplies(person, owners)
    const habits = checkHabits(person)
    const at = (quantile) => replies.lengths[Math.floor(quantile * (replies.lengths.length - 1))]
    table[person.role] = {
      rows: person.rows.length,
      several: percent(rows.several),
      test: percent(rows.test),
      replies: person.replies.length,
      words: `${at(0.1)}/${at(0.5)}/${at(0.9)}`,
      '<10': percent(replies.short),
      '15-40': percent(replies.middle),
      '?': percent(replies.questions),
      '*': percent(replies.gestures),
      sentence: replies.sentenceWords.toFixed(1),
      'own words': percent(replies.own),
      'top beginning': `${habits.top} (${habits.most})`,
    }
  }
  checkSharedPhrases(cast)
  for (const { reply, other } of nearDuplicates(cast, LIMITS.nearDuplicate))
    reply.fault(`nearly repeats ${other.role}'s "${other.text.slice(0, 50)}": "${reply.text.slice(0, 50)}"`)
  const speakers = cast.length > 1 ? checkSpeakers(cast) : undefined

  console.table(table)
  if (speakers) {
    console.log(
      `Held-out replies whose speaker a classifier names: ${percent(speakers.accuracy)}. Rows: who spoke; columns: who was named.`,
    )
    const short = cast.map(({ role }) => role.slice(0, 9))
    console.table(
      Object.fromEntries(
        cast.map(({ role }, label) => [
          role,
          Object.fromEntries(short.map((name, column) => [name, speakers.confusion[label][column] || ''])),
        ]),
      ),
    )
    if (parameters.includes('--misses')) for (const miss of speakers.misses) console.log(miss)
  }
  const reported = faults.filter(({ role }) => chosen.length === 0 || chosen.includes(role))
  for (const { text } of reported) console.error(text)
  console.log(`${cast.length} characters, ${reported.length} faults`)
  process.exitCode = reported.length > 0 ? 1 : 0
}

main(process.argv.slice(2))

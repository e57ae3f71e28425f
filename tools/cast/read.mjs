// The lines of the cast as they lie in a folder, with their faults of form.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Wordings of a question, the last ones of them held out. */
const WORDINGS = {
  shared: { count: 12, held: 2 },
  own: { count: 6, held: 1 },
  further: { least: 12, held: 2 },
}
const EXCHANGES = { talks: [4, 8], scenes: [1, 5] }

/** The rows of a file of JSON Lines, each with a function that notes its faults. */
function rowsOf(folder, slug, name, fault) {
  const path = join(folder, slug, name)
  if (!existsSync(path)) {
    fault(`${slug}/${name}: is not there`)
    return []
  }
  const lines = readFileSync(path, 'utf8').replace(/\n$/, '').split('\n')
  return lines.flatMap((line, index) => {
    const say = (text) => fault(`${slug}/${name}:${index + 1}: ${text}`)
    try {
      return [{ ...JSON.parse(line), fault: say }]
    } catch {
      say('is not JSON, expected one object a line')
      return []
    }
  })
}

const isText = (value) => typeof value === 'string' && value !== '' && value.trim() === value

function hasSplit(row) {
  if (row.split === undefined || row.split === 'test') return true
  row.fault(`has split ${JSON.stringify(row.split)}, expected "test" or none`)
  return false
}

/** Answers to what every character is asked: one of each intent. */
function readAnswers(folder, slug, { name, intents, held }, fault) {
  const byId = new Map(intents.map((intent) => [intent.id, intent]))
  const rows = rowsOf(folder, slug, name, fault)
  const seen = new Set()
  const items = rows.flatMap((row) => {
    const intent = byId.get(row.intent)
    if (!intent || seen.has(row.intent)) {
      row.fault(`answers "${row.intent}", which is ${intent ? 'answered before' : 'no intent'}`)
      return []
    }
    seen.add(row.intent)
    const { id, topic, split = 'train', wordings, ways, honest = false } = intent
    return [{ ...row, q: wordings, held, ways, id, topic, split, honest, isShared: true }]
  })
  for (const { id } of intents) if (!seen.has(id)) fault(`${slug}/${name}: lacks an answer to "${id}"`)
  return items
}

/** Questions about a character's own world. */
function readOwn(folder, slug, intents, fault) {
  const { count, held } = WORDINGS.own
  const taken = new Set(intents.map(({ id }) => id))
  return rowsOf(folder, slug, 'own.jsonl', fault).flatMap((row) => {
    if (!isText(row.id) || taken.has(row.id)) row.fault(`has id "${row.id}", which is none or taken`)
    taken.add(row.id)
    const isWhole = Array.isArray(row.q) && row.q.length === count && row.q.every(isText)
    if (!isWhole) row.fault(`needs ${count} trimmed wordings in q`)
    if (!hasSplit(row) || !isWhole) return []
    return [{ ...row, split: row.split ?? 'train', topic: 'own', held, isShared: false }]
  })
}

/** Rows of several turns: talks on one matter, or scenes. */
function readRows(folder, slug, name, fault) {
  const [least, most] = EXCHANGES[name]
  const ids = new Set()
  return rowsOf(folder, slug, `${name}.jsonl`, fault).flatMap((row) => {
    const messages = Array.isArray(row.messages) ? row.messages : []
    const isAlternating = messages.every(
      (message, index) =>
        message?.role === (index % 2 === 0 ? 'user' : 'assistant') && isText(message.content),
    )
    const exchanges = messages.length / 2
    if (!isText(row.id) || ids.has(row.id)) row.fault(`has id "${row.id}", which is none or repeated`)
    ids.add(row.id)
    if (!isAlternating || exchanges < least || exchanges > most || exchanges % 1 !== 0) {
      row.fault(
        `needs ${least} to ${most} exchanges of trimmed messages that alternate, starting with user and ending with assistant`,
      )
      return []
    }
    return [{ ...row, split: row.split ?? 'train' }]
  })
}

/** Every reply of rows, with what it answers. */
export function repliesOf(role, rows) {
  return rows.flatMap(({ messages, split, fault }) =>
    messages.flatMap(({ content }, index) =>
      index % 2 === 0 ? [] : [{ role, split, fault, text: content, cue: messages[index - 1].content }],
    ),
  )
}

/** What is asked of questions that everybody gets: of those that are taught, and of the further ones. */
function checkIntents(intents, further, fault) {
  const { count } = WORDINGS.shared
  const { least } = WORDINGS.further
  const ids = new Set()
  for (const { id, wordings } of further)
    if (wordings.length < least || !wordings.every(isText))
      fault(`further.json: "${id}" needs ${least} trimmed wordings or more`)
  for (const { id } of [...intents, ...further]) {
    if (!isText(id) || ids.has(id)) fault(`intents.json, further.json: id "${id}" is none or repeated`)
    ids.add(id)
  }
  for (const { id, split, wordings } of intents) {
    if (split !== 'train' && split !== 'test') fault(`intents.json: "${id}" has no split "train" or "test"`)
    if (wordings.length !== count || !wordings.every(isText))
      fault(`intents.json: "${id}" needs ${count} trimmed wordings`)
  }
}

/** The whole cast: what everybody is asked, what is counted of each voice, and each character's lines. */
export function readCast(folder) {
  const json = (...path) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'))
  const [intents, further, boundaries] = ['intents', 'further', 'boundaries'].map((name) =>
    json(`${name}.json`),
  )
  const faults = []
  checkIntents(intents, further, (text) => void faults.push({ role: '', text }))
  const slugs = new Set(Object.values(boundaries).map(({ slug }) => slug))
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory() && !slugs.has(entry.name))
      faults.push({ role: '', text: `${entry.name}: belongs to no character of boundaries.json` })
  const cast = []
  for (const [role, boundary] of Object.entries(boundaries)) {
    const { slug } = boundary
    if (!existsSync(join(folder, slug))) continue
    const fault = (text) => void faults.push({ role, text })
    const shared = { name: 'shared.jsonl', intents, held: WORDINGS.shared.held }
    const beside = { name: 'further.jsonl', intents: further, held: WORDINGS.further.held }
    const items = [
      ...readAnswers(folder, slug, shared, fault),
      ...readOwn(folder, slug, [...intents, ...further], fault),
    ]
    const more = readAnswers(folder, slug, beside, fault)
    for (const row of [...items, ...more]) if (!isText(row.a)) row.fault('has no trimmed answer in a')
    cast.push({
      role,
      slug,
      boundary,
      facts: json(slug, 'facts.json'),
      items: items.filter(({ a }) => isText(a)),
      further: more.filter(({ a }) => isText(a)),
      talks: readRows(folder, slug, 'talks', fault),
      scenes: readRows(folder, slug, 'scenes', fault),
      fault: (file, text) => fault(`${slug}/${file}: ${text}`),
    })
  }
  return { intents, further, boundaries, cast, faults }
}

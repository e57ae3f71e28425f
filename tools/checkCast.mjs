// `node tools/checkCast.mjs [FOLDER] [--role NAME]… [--misses]`: the checks of data/cast/README.md on the lines that
// teach the cast. One line per fault and exit 1, else a table. `--role` reports the faults of these characters only
// (all files are still read), `--misses` lists the held-out replies whose speaker the classifier mistook.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { checkItems } from './cast/items.mjs'
import { classifySpeakers } from './cast/likeness.mjs'
import { readCast, repliesOf } from './cast/read.mjs'
import { checkAcross, checkScenes } from './cast/scenes.mjs'
import { checkSplits } from './cast/splits.mjs'
import { percent, wholeWords } from './cast/text.mjs'

/** Of held-out scenes: how many speakers a classifier names, over the cast and of each. */
const LIMITS = { accuracy: 0.85, recall: 0.7 }

/** Whether each voice can be told from the others. */
function checkSpeakers(cast, replies) {
  const { confusion, misses } = classifySpeakers(
    cast.map(({ role, boundary }, index) => ({ role, boundary, replies: replies[index] })),
  )
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0))
  const right = confusion.reduce((sum, row, label) => sum + row[label], 0)
  const accuracy = right / totals.reduce((sum, count) => sum + count, 0)
  for (const [label, { slug, fault }] of cast.entries()) {
    const recall = confusion[label][label] / totals[label]
    const rivals = confusion[label].with(label, -1)
    const rival = cast[rivals.indexOf(Math.max(...rivals))].slug
    if (recall < LIMITS.recall)
      fault(
        'scenes.jsonl',
        `${slug} is recognised in ${percent(recall)} of its held-out replies, expected ${percent(LIMITS.recall)}; nearest is ${rival}`,
      )
  }
  if (accuracy < LIMITS.accuracy)
    cast[0].fault(
      'scenes.jsonl',
      `the whole cast is told apart in ${percent(accuracy)} of held-out replies, expected ${percent(LIMITS.accuracy)}`,
    )
  return { confusion, accuracy, misses }
}

function printSpeakers(cast, { confusion, accuracy, misses }, isLong) {
  console.log(
    `Held-out replies whose speaker a classifier names: ${percent(accuracy)}. Rows: who spoke; columns: who was named.`,
  )
  const short = cast.map(({ role }) => role.slice(0, 9))
  const rows = cast.map(({ role }, label) => {
    return [role, Object.fromEntries(short.map((name, column) => [name, confusion[label][column] || '']))]
  })
  console.table(Object.fromEntries(rows))
  if (isLong) for (const miss of misses) console.log(miss)
}

function main(parameters) {
  const chosen = parameters.flatMap((value, index) => (parameters[index - 1] === '--role' ? [value] : []))
  const folder = parameters.find(
    (value, index) => !value.startsWith('--') && parameters[index - 1] !== '--role',
  )
  const { intents, further, boundaries, cast, faults } = readCast(
    resolve(folder ?? fileURLToPath(new URL('../data/cast', import.meta.url))),
  )
  const owners = new Map(
    Object.entries(boundaries).map(([role, { owned }]) => [role, wholeWords(owned, 'i')]),
  )
  checkSplits(cast, intents, further)
  const replies = cast.map(({ role, scenes }) => repliesOf(role, scenes))
  const table = cast.map((person, index) => [
    person.role,
    { ...checkItems(person), ...checkScenes(person, replies[index], intents, owners) },
  ])
  checkAcross(replies)
  const speakers = cast.length > 1 ? checkSpeakers(cast, replies) : undefined

  console.table(Object.fromEntries(table))
  if (speakers) printSpeakers(cast, speakers, parameters.includes('--misses'))
  const reported = faults.filter(({ role }) => chosen.length === 0 || chosen.includes(role))
  for (const { text } of reported) console.error(text)
  console.log(`${cast.length} characters, ${reported.length} faults`)
  process.exitCode = reported.length > 0 ? 1 : 0
}

main(process.argv.slice(2))

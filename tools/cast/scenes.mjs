// Whether the scenes of the cast keep the rules of their voices: the longer, wittier exchanges beside the items.
import { nearDuplicates } from './likeness.mjs'
import {
  BANNED,
  HONEST,
  countBy,
  gesturesOf,
  normalise,
  percent,
  sentencesOf,
  share,
  spokenPart,
  words,
} from './text.mjs'

/**
 * What a scene's replies are held to. Every reply answers first, in plain words: so it is short and seldom asks back,
 * many begin with "I", "Yes" or "No", and answers of two characters to one question may have eight words in common
 * ("I do not know what a telephone is"), where nine are a sentence copied.
 */
const LIMITS = {
  rows: 150,
  ownRows: 85,
  severalTurns: 1 / 3,
  ownTest: [0.15, 0.25],
  longest: 60,
  sentences: 4,
  short: [0, 0.25],
  middle: 0.5,
  openingWords: 0.04,
  firstWord: 0.4,
  phrase: 0.05,
  sharedPhraseWords: 9,
  nearDuplicate: 0.2,
  questions: [0, 0.35],
  lowerCase: 0.1,
}

/** Every shared opening word for word; enough rows, turns and own-world openings; each split as it should be. */
function checkRows({ role, slug, scenes, fault }, intents) {
  const byId = new Map(intents.map((intent) => [`${slug}/${intent.id}`, intent]))
  const openings = new Set()
  for (const row of scenes) {
    if (row.role !== role) row.fault(`has role ${JSON.stringify(row.role)}, expected "${role}"`)
    const first = normalise(row.messages[0].content)
    if (openings.has(first)) row.fault('opens as another row of the same character does')
    openings.add(first)
    const intent = byId.get(row.id)
    if (!intent) {
      if (!new RegExp(`^${slug}/own-\\d{3}$`).test(row.id))
        row.fault(`has id "${row.id}", expected ${slug}/own-001 and on, or an intent's`)
      continue
    }
    if (row.messages[0].content !== intent.wordings[0])
      row.fault(`does not open with ${JSON.stringify(intent.wordings[0])}`)
    if (row.split !== intent.split)
      row.fault(`has split "${row.split}", expected "${intent.split}" as in intents.json`)
    if (intent.honest && !HONEST.test(row.messages[1].content))
      row.fault(
        'answers an earnest question without an honest line (no living person; a machine, an engine, …)',
      )
  }
  const own = scenes.filter(({ id }) => !byId.has(id))
  const several = share(scenes, ({ messages }) => messages.length > 2)
  const test = share(own, ({ split }) => split === 'test')
  const lowerCase = share(own, ({ messages }) => /^[a-z]/.test(messages[0].content))
  const [least, most] = LIMITS.ownTest
  const say = (text) => fault('scenes.jsonl', text)
  if (scenes.length < LIMITS.rows) say(`has ${scenes.length} rows, expected at least ${LIMITS.rows}`)
  if (own.length < LIMITS.ownRows)
    say(`has ${own.length} rows of its own world, expected at least ${LIMITS.ownRows}`)
  if (several < LIMITS.severalTurns)
    say(`has ${percent(several)} rows of several turns, expected at least a third`)
  if (test < least || test > most) say(`holds out ${percent(test)} of its own-world rows, expected a fifth`)
  if (lowerCase < LIMITS.lowerCase)
    say(
      `has ${percent(lowerCase)} own-world visitors who begin in lower case, expected ${percent(LIMITS.lowerCase)}`,
    )
}

/** Length, letters, banned turns and words that belong to another, of one reply. */
function checkReply({ role, text, cue, fault }, owners) {
  const count = words(text).length
  const said = sentencesOf(text).length
  const head = `"${text.slice(0, 40)}…"`
  if (count > LIMITS.longest)
    fault(`has a reply of ${count} words, expected at most ${LIMITS.longest}: ${head}`)
  if (said > LIMITS.sentences)
    fault(`has a reply of ${said} sentences, expected at most ${LIMITS.sentences}: ${head}`)
  if (spokenPart(text) === '') fault('has a reply that is only a gesture')
  if (/[^\x20-\x7e\u00c0-\u017f]/.test(text + cue))
    fault(`uses a letter outside plain ASCII and accented Latin: ${head}`)
  if ((text.match(/\*/g) ?? []).length % 2 === 1) fault('has an asterisk without its pair')
  for (const pattern of BANNED)
    if (pattern.test(text)) fault(`uses the banned turn "${pattern.exec(text)[0]}"`)
  for (const [owner, pattern] of owners) {
    const found = owner === role ? undefined : pattern.exec(text)
    if (found && !cue.toLowerCase().includes(found[0].toLowerCase()))
      fault(`says "${found[0]}", which is ${owner}'s`)
  }
}

const within = (value, [least, most]) => value >= least && value <= most
const between = (limits) => limits.map(percent).join(' to ')

/** What the replies of a character are on the whole, against its sheet. */
function checkWhole({ boundary, fault }, replies) {
  const say = (text) => fault('scenes.jsonl', text)
  const lengths = replies.map(({ text }) => words(text).length).toSorted((a, b) => a - b)
  const short = share(lengths, (length) => length < 10)
  const middle = share(lengths, (length) => length >= 15 && length <= 40)
  const questions = share(replies, ({ text }) => /\?["')]*$/.test(spokenPart(text)))
  const gestures = share(replies, ({ text }) => text.includes('*'))
  const sentences = replies.flatMap(({ text }) => sentencesOf(text))
  const sentenceWords =
    sentences.reduce((sum, sentence) => sum + words(sentence).length, 0) / Math.max(1, sentences.length)
  if (!within(short, LIMITS.short))
    say(`has ${percent(short)} replies below ten words, expected ${between(LIMITS.short)}`)
  if (middle < LIMITS.middle)
    say(`has ${percent(middle)} replies of 15 to 40 words, expected at least ${percent(LIMITS.middle)}`)
  if (!within(questions, LIMITS.questions))
    say(`ends ${percent(questions)} of its replies on a question, expected ${between(LIMITS.questions)}`)
  if (!within(gestures, boundary.gestures))
    say(`gestures in ${percent(gestures)} of its replies, expected ${between(boundary.gestures)}`)
  if (!within(sentenceWords, boundary.sentenceWords))
    say(
      `has sentences of ${sentenceWords.toFixed(1)} words on average, expected ${boundary.sentenceWords.join(' to ')}`,
    )
  const at = (quantile) => lengths[Math.floor(quantile * (lengths.length - 1))]
  return {
    scenes: replies.length,
    words: `${at(0.1)}/${at(0.5)}/${at(0.9)}`,
    '?': percent(questions),
    '*': percent(gestures),
    sentence: sentenceWords.toFixed(1),
  }
}

/** No beginning, phrase or gesture of a character comes too often. */
function checkHabits({ fault }, replies) {
  const tooOften = (items, limit, what) => {
    for (const [item, count] of countBy(items))
      if (count > Math.max(2, limit * replies.length))
        fault(
          'scenes.jsonl',
          `${what} "${item}" in ${count} of ${replies.length} replies, expected at most ${percent(limit)}`,
        )
  }
  const heads = replies.map(({ text }) => words(spokenPart(text)))
  const long = heads.filter((head) => head.length > 3)
  tooOften(
    long.map((head) => head.slice(0, 3).join(' ')),
    LIMITS.openingWords,
    'begins with',
  )
  tooOften(
    heads.flatMap((head) => head.slice(0, 1)),
    LIMITS.firstWord,
    'begins with the word',
  )
  const runs = heads.flatMap((head) => [
    ...new Set(head.slice(3).map((_, index) => head.slice(index, index + 4).join(' '))),
  ])
  tooOften(runs, LIMITS.phrase, 'has the phrase')
  const gestures = countBy(replies.flatMap(({ text }) => gesturesOf(text)).map(normalise))
  for (const [gesture, count] of gestures)
    if (count > 2) fault('scenes.jsonl', `makes the gesture "${gesture}" ${count} times, expected at most 2`)
}

/** No run of nine words is said by two characters, and no reply nearly repeats another. */
export function checkAcross(all) {
  const seen = new Map()
  for (const { text, role, fault } of all.flat()) {
    const said = words(text)
    for (let index = 0; index + LIMITS.sharedPhraseWords <= said.length; index++) {
      const run = said.slice(index, index + LIMITS.sharedPhraseWords).join(' ')
      const other = seen.get(run)
      if (other && other !== role) fault(`says "${run}" as ${other} does`)
      else seen.set(run, role)
    }
  }
  for (const { reply, other } of nearDuplicates(all.flat(), LIMITS.nearDuplicate))
    reply.fault(`nearly repeats ${other.role}'s "${other.text.slice(0, 50)}": "${reply.text.slice(0, 50)}"`)
}

/** Everything that is asked of a character's scenes; the figures of its row in the table. */
export function checkScenes(person, replies, intents, owners) {
  checkRows(person, intents)
  for (const reply of replies) checkReply(reply, owners)
  checkHabits(person, replies)
  return checkWhole(person, replies)
}

// Whether the answers of the cast answer, agree with the facts and keep their measure.
import {
  BANNED,
  HONEST,
  countBy,
  normalise,
  percent,
  sentencesOf,
  share,
  spokenPart,
  words,
} from './text.mjs'

const LIMITS = {
  own: 160,
  ownTest: 12,
  answer: [2, 27],
  sentences: 3,
  oneSentence: [0.4, 0.65],
  direct: 0.55,
  opening: 0.03,
  phrase: 0.02,
  phraseWords: 5,
  wording: 24,
  facts: 40,
  ways: 12,
  itemWays: { shared: 12, own: 6 },
  factItems: 3,
  talks: 62,
  talksTest: 6,
  talkReply: 32,
}

const EMPTY_WORDS = new Set(
  `a an the is are was were be been am i you your yours me my we our do does did have has had can could will would
  shall should may might it its this that these those what who whom whose which when where why how of in on at to for
  from with by about as and or but not no yes so if then than there here any some ever very much many tell give say let
  please just`.split(/\s+/),
)
/** The stems of the words of a text that mean something by themselves. */
const stemsOf = (text) =>
  new Set(
    normalise(text)
      .split(/[ '-]/)
      .filter((word) => word.length > 2 && !EMPTY_WORDS.has(word))
      .map((word) => word.replace(/(ies|es|s|ing|ed|ly)$/, '').slice(0, 5)),
  )

const plain = (text) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9 ]+/g, ' ')
    .replace(/ +/g, ' ')
    .trim()
/** Whether a text holds one of the phrases at the beginning of words, without case. */
const holds = (text, phrases) => phrases.some((phrase) => ` ${plain(text)} `.includes(` ${plain(phrase)}`))

/**
 * Whether a wording flatly denies what the others ask ("Nobody could lift that"), so that no "Yes" fits both. Questions
 * are none of these: "Do you eat?" and "Don't you eat?" have one answer.
 */
const isDenial = (wording) =>
  !wording.endsWith('?') &&
  /n't\b|\b(not|never|no|none|nobody|nothing|dont|cant|isnt|wont|didnt|doesnt)\b/i.test(wording) &&
  /^(you|he|she|it|that|this|the|a|an|no|nobody|nothing|there|women|\p{Lu}\p{L}+ (can|is|was|are|were|does|did|has))\b/iu.test(
    wording,
  ) &&
  !/n'?t (you|it|he|she|they|that|there)\W*$/i.test(wording)
const agrees = (answer) => /^(yes|aye)\b/i.test(spokenPart(answer))

/** Whether an item that is taught has ways enough to say it. */
function checkWays({ ways = [], split, isShared, fault }) {
  const least = LIMITS.itemWays[isShared ? 'shared' : 'own']
  if (split === 'train' && ways.length < least)
    fault(`has ${ways.length} further ways to ask, expected ${least} or more`)
}

/** Length, sentences and letters of one answer, and whether its head fits every wording. */
function checkAnswer({ a, q, honest, fault }) {
  const count = words(spokenPart(a)).length
  const [least, most] = LIMITS.answer
  if (count < least || count > most)
    fault(`has an answer of ${count} words, expected ${least} to ${most}: "${a}"`)
  const said = sentencesOf(a).length
  if (said > LIMITS.sentences)
    fault(`has an answer of ${said} sentences, expected at most ${LIMITS.sentences}`)
  for (const pattern of BANNED) if (pattern.test(a)) fault(`uses the banned turn "${pattern.exec(a)[0]}"`)
  if (/[^\x20-\x7e\u00c0-\u024f]/.test(a + q.join('')))
    fault('uses a letter outside plain ASCII and accented Latin')
  if (honest && !HONEST.test(a))
    fault('answers an earnest question without an honest line (no living person)')
  const denial = agrees(a) ? q.find(isDenial) : undefined
  if (denial !== undefined) fault(`says "${words(a)[0]}" to "${denial}", and "${q[0]}" is the contrary`)
}

/** No question twice, no answer twice, no beginning and no phrase too often. */
function checkRepeats({ items: taught, further, fault }) {
  const [asked, answers] = [new Map(), new Map()]
  const items = [...taught, ...further]
  for (const item of items) {
    for (const question of item.isShared ? [] : item.q) {
      const key = plain(question)
      if (asked.has(key)) item.fault(`asks "${question}", as "${asked.get(key)}" does`)
      asked.set(key, item.id)
      if (key.split(' ').length > LIMITS.wording)
        item.fault(`has a wording of more than ${LIMITS.wording} words`)
    }
    const key = plain(item.a)
    if (answers.has(key)) item.fault(`gives the same answer as "${answers.get(key)}"`)
    answers.set(key, item.id)
  }
  const heads = items.map(({ a }) => plain(spokenPart(a)).split(' '))
  const tooOften = (found, limit, what) => {
    for (const [text, count] of countBy(found))
      if (count > Math.max(4, limit * items.length))
        fault('own.jsonl', `${what} "${text}" in ${count} answers`)
  }
  const first = heads.map((head) => head.slice(0, 3).join(' '))
  tooOften(first, LIMITS.opening, 'begins with')
  const size = LIMITS.phraseWords
  const runs = heads.flatMap((head) =>
    head.slice(size - 1).map((_, index) => head.slice(index, index + size).join(' ')),
  )
  tooOften(runs, LIMITS.phrase, 'has the phrase')
}

/** Of the answers: how many are one sentence, and how many take up a word of the question. */
function checkMeasure({ items, fault }) {
  const one = share(items, ({ a }) => sentencesOf(a).length === 1)
  const [least, most] = LIMITS.oneSentence
  if (one < least || one > most)
    fault(
      'own.jsonl',
      `${percent(one)} of the answers are one sentence, expected ${percent(least)} to ${percent(most)}`,
    )
  const open = items.filter(({ topic, q }) => topic !== 'filler' && stemsOf(q[0]).size > 0)
  const direct = share(open, ({ a, q }) => {
    const said = stemsOf(a)
    return [...stemsOf(q[0])].some((stem) => said.has(stem))
  })
  if (direct < LIMITS.direct)
    fault(
      'own.jsonl',
      `${percent(direct)} of the answers take up a word of the question, expected ${percent(LIMITS.direct)}`,
    )
  return { one, direct }
}

/** The sheet of facts by itself, and every item and talk that names one of them. */
function checkFacts({ facts, items, further, talks, fault }) {
  const byId = new Map(facts.map((fact) => [fact.id, fact]))
  const asked = new Set(items.flatMap(({ q }) => q.map(plain)))
  const known = new Set(facts.flatMap(({ ways = [] }) => ways.map(plain)))
  if (facts.length < LIMITS.facts)
    fault('facts.json', `has ${facts.length} facts, expected ${LIMITS.facts} or more`)
  for (const { id, fact, ask, accept, wrong, ways } of facts) {
    const isWhole = id && fact && ask?.length === 2 && accept?.length > 0 && Array.isArray(wrong)
    if (!isWhole) fault('facts.json', `"${id}" needs fact, two ways to ask, accept and wrong`)
    if (!(ways?.length >= LIMITS.ways))
      fault('facts.json', `"${id}" needs ${LIMITS.ways} ways to ask or more`)
    for (const question of ask ?? []) {
      if (asked.has(plain(question))) fault('facts.json', `"${id}": an item asks "${question}" too`)
      if (known.has(plain(question))) fault('facts.json', `"${id}": "${question}" is one of the ways, too`)
    }
  }
  const taught = new Map(facts.map(({ id }) => [id, 0]))
  for (const row of [...items, ...further, ...talks]) {
    const said = row.a ?? row.messages.flatMap(({ content }, at) => (at % 2 === 1 ? [content] : [])).join(' ')
    for (const id of row.facts ?? []) {
      const fact = byId.get(id)
      if (!fact) row.fault(`names "${id}", which is no fact of the sheet`)
      else if (!holds(said, fact.accept))
        row.fault(`is said to hold "${id}" but has none of ${fact.accept.join(', ')}`)
      else if (row.a && holds(said, fact.wrong))
        row.fault(`holds "${id}" and a word that contradicts it: "${said}"`)
      if (row.a && row.split === 'train' && !further.includes(row)) taught.set(id, (taught.get(id) ?? 0) + 1)
    }
  }
  for (const [id, count] of taught)
    if (count < LIMITS.factItems)
      fault(
        'facts.json',
        `"${id}" is stated in ${count} items that are trained, expected ${LIMITS.factItems}`,
      )
}

function checkTalks({ talks, fault }) {
  if (talks.length < LIMITS.talks) fault('talks.jsonl', `has ${talks.length} talks, expected ${LIMITS.talks}`)
  const test = talks.filter(({ split }) => split === 'test').length
  if (test < LIMITS.talksTest) fault('talks.jsonl', `holds out ${test} talks, expected ${LIMITS.talksTest}`)
  for (const { messages, fault: rowFault } of talks)
    for (const { content } of messages.filter((_, index) => index % 2 === 1)) {
      const count = words(spokenPart(content)).length
      if (count > LIMITS.talkReply)
        rowFault(`has a reply of ${count} words, expected at most ${LIMITS.talkReply}: "${content}"`)
      for (const pattern of BANNED)
        if (pattern.test(content)) rowFault(`uses the banned turn "${pattern.exec(content)[0]}"`)
      if (/[^\x20-\x7e\u00c0-\u024f]/.test(content))
        rowFault('uses a letter outside plain ASCII and accented Latin')
    }
}

/** Everything that is asked of a character's items, facts and talks; the figures of its row in the table. */
export function checkItems(person) {
  const own = person.items.filter(({ isShared }) => !isShared)
  if (own.length < LIMITS.own)
    person.fault('own.jsonl', `has ${own.length} items, expected at least ${LIMITS.own}`)
  const test = own.filter(({ split }) => split === 'test').length
  if (test < LIMITS.ownTest)
    person.fault('own.jsonl', `holds out ${test} items, expected at least ${LIMITS.ownTest}`)
  for (const item of person.items) checkWays(item)
  for (const item of [...person.items, ...person.further]) checkAnswer(item)
  checkRepeats(person)
  checkFacts(person)
  checkTalks(person)
  const { one, direct } = checkMeasure(person)
  return {
    facts: person.facts.length,
    items: person.items.length,
    further: person.further.length,
    'one sentence': percent(one),
    direct: percent(direct),
    talks: person.talks.length,
  }
}

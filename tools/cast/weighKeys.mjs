// Which words of a visitor's call which fact, and how much each of them says: a linear classifier of questions.
import { singularOf, stemOf, wordsOf } from './keyWords.mjs'

/** Words that stand in every question. */
const EMPTY = new Set(
  `a about am an and any are at be been by can could did do does for had has have i if in is it me my of on or please say so
   some tell that the then there this to u up ur us was we were will with would you your yours`.split(/\s+/),
)
/** What a document counts beside a way to ask: the fact itself, a learnt wording that states it, one that states none. */
const WEIGHTS = { fact: 2, stating: 0.25, plain: 0.2 }
/** Strength of the penalty on squared weights; steps of Adam; stems kept of each fact. */
const DECAY = 0.05
const STEPS = 160
const RATE = 0.3
const MOST_WORDS = 48
/** Below this share of what a question needs, a word is left out; from this one on it is clear. */
const LEAST_WEIGHT = 0.1
const CLEAR = 0.5

/** What is known to ask for a fact (its index) and for none (−1), each with what it counts. */
function documentsOf({ facts, items }) {
  const indices = new Map(facts.map(({ id }, index) => [id, index]))
  const documents = facts.flatMap(({ fact, ways }, index) => [
    { text: fact, index, weight: WEIGHTS.fact },
    ...ways.map((text) => ({ text, index, weight: 1 })),
  ])
  for (const { q, split, held, facts: stated = [] } of items) {
    if (split !== 'train') continue
    for (const text of q.slice(0, q.length - held)) {
      if (stated.length === 0) documents.push({ text, index: -1, weight: WEIGHTS.plain })
      for (const id of stated)
        documents.push({ text, index: indices.get(id), weight: WEIGHTS.stating / stated.length })
    }
  }
  return documents
}

/** The forms of each word by its number, and documents as numbers; of a plural its singular is a form, too. */
function numbered(documents) {
  const numbers = new Map()
  const forms = []
  const numberOf = (word) => {
    const stem = stemOf(word)
    if (!numbers.has(stem)) numbers.set(stem, forms.push(new Set()) - 1)
    const number = numbers.get(stem)
    forms[number].add(word).add(singularOf(word))
    return number
  }
  const rows = documents.map(({ text, index, weight }) => ({
    index,
    weight,
    words: [
      ...new Set(
        wordsOf(text)
          .filter((word) => !EMPTY.has(word))
          .map(numberOf),
      ),
    ],
  }))
  return { forms, rows }
}

/** Adam on values that stay at or above 0. */
class Adam {
  constructor(length) {
    this.first = new Float64Array(length)
    this.second = new Float64Array(length)
  }

  step(values, gradients, count) {
    const rate = RATE * (1 - count / (STEPS + 1))
    const ofFirst = 1 - 0.9 ** count
    const ofSecond = 1 - 0.99 ** count
    for (let i = 0; i < values.length; i++) {
      this.first[i] = 0.9 * this.first[i] + 0.1 * gradients[i]
      this.second[i] = 0.99 * this.second[i] + 0.01 * gradients[i] ** 2
      const mean = this.first[i] / ofFirst
      const spread = Math.sqrt(this.second[i] / ofSecond)
      values[i] = Math.max(0, values[i] - (rate * mean) / (spread + 1e-8))
    }
  }
}

/**
 * Weights w ≥ 0 of every word for every fact, and what a question that asks for none weighs: the maximum of
 * Σ n·ln softmax(Σ_words w, b)[fact] − DECAY·Σw², where b stands for no fact.
 */
function fit(rows, words, facts) {
  const values = new Float64Array(words * facts + 1)
  values[words * facts] = 1
  const adam = new Adam(values.length)
  const scores = new Float64Array(facts + 1)
  for (let count = 1; count <= STEPS; count++) {
    const gradients = values.map((value) => 2 * DECAY * value)
    gradients[words * facts] = 0
    for (const row of rows) addGradient(row, values, gradients, scores)
    adam.step(values, gradients, count)
  }
  return { weights: values.subarray(0, words * facts), none: values[words * facts] }
}

/** Adds a document's gradient of −n·ln softmax. */
function addGradient({ index, weight, words }, values, gradients, scores) {
  const facts = scores.length - 1
  scores.fill(0)
  for (const word of words) for (let f = 0, at = word * facts; f < facts; f++, at++) scores[f] += values[at]
  scores[facts] = values[values.length - 1]
  let most = scores[facts]
  for (let f = 0; f < facts; f++) most = Math.max(most, scores[f])
  let sum = 0
  for (let f = 0; f <= facts; f++) sum += scores[f] = Math.exp(scores[f] - most)
  for (let f = 0; f <= facts; f++) scores[f] *= weight / sum
  scores[index < 0 ? facts : index] -= weight
  for (const word of words)
    for (let f = 0, at = word * facts; f < facts; f++, at++) gradients[at] += scores[f]
  gradients[gradients.length - 1] += scores[facts]
}

/**
 * For each fact the stems that call it, those that say most first, with what each says: 1 in sum is as much as a question
 * for none of them has; and the words that call it clearly by themselves.
 */
export function weighKeys(person) {
  const { forms, rows } = numbered(documentsOf(person))
  const count = person.facts.length
  const { weights, none } = fit(rows, forms.length, count)
  return new Map(
    person.facts.map(({ id }, fact) => {
      const ranked = forms
        .map((words, at) => ({ words, weight: Math.round((weights[at * count + fact] / none) * 100) / 100 }))
        .filter(({ weight }) => weight >= LEAST_WEIGHT)
        .toSorted((one, other) => other.weight - one.weight)
        .slice(0, MOST_WORDS)
      const clear = ranked.filter(({ weight }, at) => at === 0 || weight >= CLEAR)
      return [
        id,
        {
          keys: clear.flatMap(({ words }) => [...words]),
          stems: ranked.map(({ words: [word], weight }) => [stemOf(word), weight]),
        },
      ]
    }),
  )
}

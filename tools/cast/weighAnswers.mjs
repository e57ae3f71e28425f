// Which words of a visitor's call which answer of a character's, and how much each of them says: the mean of its questions.
import { stemOf, wordsOf } from './keyWords.mjs'

/** Stems kept of each answer. */
const MOST_WORDS = 80
/** Below this share of what the median of its questions weighs, a stem is left out. */
const LEAST_WEIGHT = 0.05
/** The share of messages that go on with a matter that call no answer. */
const UNCALLED = 0.3
/** How much it counts that a message says other things, too: the power of the share of it that calls an answer. */
export const HEED = 0.5

/** What a character answers, with all that is known to ask for it. */
function answersOf(items) {
  return items
    .filter(({ split }) => split === 'train')
    .map(({ a, q, held, ways = [] }) => ({
      answer: a,
      asked: [...q.slice(0, q.length - held), ...ways],
    }))
}

/** What visitors say on the way through a talk: it goes on with the matter and asks for no answer by itself. */
function followingUp(talks) {
  return talks
    .filter(({ split }) => split !== 'test')
    .flatMap(({ messages }) =>
      messages.filter((_, at) => at > 0 && at % 2 === 0).map(({ content }) => content),
    )
}

const stemsOf = (text) => [...new Set(wordsOf(text).map(stemOf))]

/** ln(N/n) of each stem that n of N questions have. */
function raritiesOf(answers) {
  const counts = new Map()
  let total = 0
  for (const { asked } of answers)
    for (const text of asked) {
      total++
      for (const stem of stemsOf(text)) counts.set(stem, (counts.get(stem) ?? 0) + 1)
    }
  return new Map([...counts].map(([stem, count]) => [stem, Math.log(total / count)]))
}

/**
 * What each stem weighs for an answer: r·√m/√w, where r is its rarity and m the mean over its questions of their stems'
 * rarities, each question's of length 1. √m lets a word count that one way to ask has and no other; w is the median of what
 * its own questions weigh, so that those of common words ("Who are you?") call, too.
 */
function stemWeights({ asked }, rarities) {
  const sums = new Map()
  for (const text of asked) {
    const stems = stemsOf(text)
    const length = Math.hypot(...stems.map((stem) => rarities.get(stem)))
    if (length === 0) continue
    for (const stem of stems) sums.set(stem, (sums.get(stem) ?? 0) + rarities.get(stem) / length)
  }
  const weights = new Map(
    [...sums].map(([stem, sum]) => [stem, rarities.get(stem) * Math.sqrt(sum / asked.length)]),
  )
  const own = asked.map((text) => weightOf(text, weights)).toSorted((one, other) => one - other)
  const median = own[Math.floor(own.length / 2)]
  return new Map([...weights].map(([stem, weight]) => [stem, weight / Math.sqrt(median)]))
}

/** What the stems of a message weigh together for an answer. */
function weightOf(message, weights) {
  return stemsOf(message).reduce((sum, stem) => sum + (weights.get(stem) ?? 0), 0)
}

/** The stems that say most for an answer, those first. */
function strongest(weights) {
  return [...weights]
    .filter(([, weight]) => weight >= LEAST_WEIGHT)
    .toSorted(([one, first], [other, second]) => second - first || (one < other ? -1 : 1))
    .slice(0, MOST_WORDS)
}

/** What calls an answer most in a message, as the reader of lorebooks has it: the stems' weights · (their share)^HEED. */
function mostCalled(answers) {
  const counts = new Map()
  for (const stems of answers) for (const stem of stems.keys()) counts.set(stem, (counts.get(stem) ?? 0) + 1)
  const rarityOf = (stem) => Math.log(1 + answers.length / (counts.get(stem) ?? 1))
  return (message) => {
    const said = stemsOf(message)
    const whole = said.reduce((sum, stem) => sum + rarityOf(stem), 0)
    const weights = answers.map((stems) => {
      const heard = said.reduce((sum, stem) => sum + (stems.has(stem) ? rarityOf(stem) : 0), 0)
      return heard === 0 ? 0 : weightOf(message, stems) * (heard / whole) ** HEED
    })
    return Math.max(...weights)
  }
}

/**
 * The answers of a character with the stems that call each, those that say most first, and what each says: 1 in sum is what
 * UNCALLED of the messages lack that go on with a matter.
 */
export function weighAnswers({ items, further, talks }) {
  const answers = answersOf([...items, ...further])
  const rarities = raritiesOf(answers)
  const weights = answers.map((answer) => strongest(stemWeights(answer, rarities)))
  const following = followingUp(talks).map(mostCalled(weights.map((stems) => new Map(stems))))
  const unit = following.toSorted((one, other) => one - other)[Math.floor(UNCALLED * following.length)] ?? 1
  return answers.map(({ answer, asked }, index) => {
    const stems = weights[index].map(([stem, weight]) => [stem, Math.round((weight / unit) * 100) / 100])
    return { answer, question: asked[0], stems }
  })
}

import { Random } from '../core/random.ts'
import { shuffled } from '../core/shuffle.ts'
import { mean } from './nll.ts'

/** A reply and the index of the role whose it is. */
export interface LabelledReply {
  readonly text: string
  readonly role: number
}

/** Names the role of a reply. */
export type RoleClassifier = (text: string) => number

const LONGEST_GRAM = 4
const MOST_FEATURES = 60_000
const EPOCHS = 20
const RATE = 4
/** How much slower the biases move than the weights: they see every reply. */
const BIAS_RATE = 0.05

/** How often each run of one to four characters stands in a text, which is set between spaces. */
function countGrams(text: string): Map<string, number> {
  const characters = Array.from(` ${text.toLowerCase().replaceAll(/\s+/g, ' ').trim()} `)
  const counts = new Map<string, number>()
  for (let size = 1; size <= LONGEST_GRAM; size++) {
    for (let start = 0; start + size <= characters.length; start++) {
      const gram = characters.slice(start, start + size).join('')
      counts.set(gram, (counts.get(gram) ?? 0) + 1)
    }
  }
  return counts
}

/** A text as a sparse vector of length 1. */
interface Features {
  readonly places: Uint32Array
  readonly values: Float64Array
}

type Vectoriser = (counts: ReadonlyMap<string, number>) => Features

/** TF-IDF over the grams that at least two texts have: `(1 + ln count)·(1 + ln(texts / texts with it))`. */
function fitVectoriser(documents: readonly ReadonlyMap<string, number>[]): {
  readonly size: number
  readonly vectorise: Vectoriser
} {
  const frequencies = new Map<string, number>()
  for (const counts of documents) {
    for (const gram of counts.keys()) frequencies.set(gram, (frequencies.get(gram) ?? 0) + 1)
  }
  const kept = [...frequencies]
    .filter(([, count]) => count > 1)
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, MOST_FEATURES)
  const known = new Map(
    kept.map(([gram, count], place) => [gram, { place, idf: 1 + Math.log(documents.length / count) }]),
  )
  return {
    size: kept.length,
    vectorise(counts) {
      const found = [...counts].flatMap(([gram, count]) => {
        const feature = known.get(gram)
        return feature ? [{ place: feature.place, value: (1 + Math.log(count)) * feature.idf }] : []
      })
      const norm = Math.sqrt(found.reduce((sum, { value }) => sum + value * value, 0)) || 1
      return {
        places: Uint32Array.from(found, ({ place }) => place),
        values: Float64Array.from(found, ({ value }) => value / norm),
      }
    },
  }
}

/**
 * A classifier of speakers: multinomial logistic regression on TF-IDF of character 1- to 4-grams, fitted by stochastic
 * gradient descent in a seeded order, each role weighted alike. The same replies and seed give the same classifier.
 *
 * @param roles how many roles there are.
 */
export function trainClassifier(
  replies: readonly LabelledReply[],
  roles: number,
  seed: number,
): RoleClassifier {
  const documents = replies.map(({ text }) => countGrams(text))
  const { size, vectorise } = fitVectoriser(documents)
  const vectors = documents.map(vectorise)
  const weights = new Float64Array(size * roles)
  const biases = new Float64Array(roles)
  const counts = new Float64Array(roles)
  for (const { role } of replies) counts[role] = (counts[role] ?? 0) + 1

  const scoresOf = ({ places, values }: Features): Float64Array => {
    const scores = Float64Array.from(biases)
    for (const [index, place] of places.entries()) {
      const value = values[index] ?? 0
      for (let role = 0; role < roles; role++)
        scores[role] = (scores[role] ?? 0) + value * (weights[place * roles + role] ?? 0)
    }
    return scores
  }
  const learn = (features: Features, label: number, rate: number): void => {
    const error = softmax(scoresOf(features))
    error[label] = (error[label] ?? 0) - 1
    for (let role = 0; role < roles; role++)
      biases[role] = (biases[role] ?? 0) - BIAS_RATE * rate * (error[role] ?? 0)
    for (const [index, place] of features.places.entries()) {
      const step = rate * (features.values[index] ?? 0)
      for (let role = 0; role < roles; role++) {
        const at = place * roles + role
        weights[at] = (weights[at] ?? 0) - step * (error[role] ?? 0)
      }
    }
  }

  const random = new Random(seed, 2)
  const order = replies.map((_, index) => index)
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const rate = RATE / (1 + 0.3 * epoch)
    for (const index of shuffled(order, random)) {
      const vector = vectors[index]
      const label = replies[index]?.role ?? 0
      const balance = replies.length / (roles * (counts[label] ?? 1))
      if (vector) learn(vector, label, rate * Math.min(4, balance))
    }
  }
  return (text) => {
    const scores = scoresOf(vectorise(countGrams(text)))
    return scores.indexOf(Math.max(...scores))
  }
}

function softmax(scores: Float64Array): Float64Array {
  const highest = Math.max(...scores)
  const exponentials = scores.map((score) => Math.exp(score - highest))
  const sum = exponentials.reduce((total, value) => total + value, 0)
  return exponentials.map((value) => value / sum)
}

/** The share of replies whose role the classifier names; 0 without replies. */
export function identificationAccuracy(classify: RoleClassifier, replies: readonly LabelledReply[]): number {
  return mean(replies.map(({ text, role }) => (classify(text) === role ? 1 : 0)))
}

// How near the replies of the cast are to one another: near-duplicates, and a classifier of the speaker.
import { countBy, normalise, wholeWords } from './text.mjs'

/** Whether the edit distance of `a` and `b` is at most `most`, in a band of that width. */
function isWithin(a, b, most) {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = Array(b.length + 1).fill(most + 1)
    if (row <= most) current[0] = row
    let least = most + 1
    for (let column = Math.max(1, row - most); column <= Math.min(b.length, row + most); column++) {
      const swap = previous[column - 1] + (a[row - 1] === b[column - 1] ? 0 : 1)
      current[column] = Math.min(swap, previous[column] + 1, current[column - 1] + 1)
      least = Math.min(least, current[column])
    }
    if (least > most) return false
    previous = current
  }
  return previous[b.length] <= most
}

/** How many members two sorted lists have in common, repeats counted. */
const common = (a, b) => {
  let count = 0
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) count++
    if (a[i] <= b[j]) i++
    else j++
  }
  return count
}

/**
 * The pairs of replies within an edit distance of `limit` of the longer's length. Strings within distance d share at least
 * max(length) − 2 − 3d trigrams, so only pairs that do are compared letter by letter.
 */
export function nearDuplicates(replies, limit) {
  const items = replies.map((reply) => ({ ...reply, plain: normalise(reply.text) }))
  const ids = new Map()
  for (const item of items) {
    item.trigrams = Array.from({ length: Math.max(0, item.plain.length - 2) }, (_, index) => {
      const trigram = item.plain.slice(index, index + 3)
      if (!ids.has(trigram)) ids.set(trigram, ids.size)
      return ids.get(trigram)
    }).toSorted((a, b) => a - b)
  }
  const pairs = []
  items.sort((a, b) => a.plain.length - b.plain.length)
  for (const [index, longer] of items.entries()) {
    const most = Math.floor(limit * longer.plain.length)
    for (let earlier = index - 1; earlier >= 0; earlier--) {
      const shorter = items[earlier]
      if (longer.plain.length - shorter.plain.length > most) break
      if (common(longer.trigrams, shorter.trigrams) < longer.plain.length - 2 - 3 * most) continue
      if (isWithin(shorter.plain, longer.plain, most)) pairs.push({ reply: longer, other: shorter })
    }
  }
  return pairs
}

const gramsOf = (text) => {
  const padded = ` ${text.toLowerCase()} `
  const counts = new Map()
  for (let size = 1; size <= 4; size++)
    for (let start = 0; start + size <= padded.length; start++) {
      const gram = padded.slice(start, start + size)
      counts.set(gram, (counts.get(gram) ?? 0) + 1)
    }
  return counts
}

/**
 * Multinomial logistic regression on TF-IDF of character 1- to 4-grams, by plain stochastic gradient descent with a
 * fixed order of shuffling. Returns the function from a text to the index of its speaker.
 */
function trainClassifier(samples, classes) {
  const documents = samples.map(({ text }) => gramsOf(text))
  const frequency = countBy(documents.flatMap((counts) => [...counts.keys()]))
  const kept = [...frequency].filter(([, count]) => count > 1)
  const index = new Map(
    kept.map(([gram, count], at) => [gram, { at, idf: 1 + Math.log(samples.length / count) }]),
  )
  const featuresOf = (counts) => {
    const features = [...counts].flatMap(([gram, count]) => {
      const known = index.get(gram)
      return known ? [{ at: known.at, value: (1 + Math.log(count)) * known.idf }] : []
    })
    const norm = Math.hypot(...features.map(({ value }) => value)) || 1
    return features.map(({ at, value }) => ({ at, value: value / norm }))
  }
  const weights = new Float64Array(index.size * classes)
  const bias = new Float64Array(classes)
  const probabilities = (features) => {
    const scores = Float64Array.from(bias)
    for (const { at, value } of features)
      for (let c = 0; c < classes; c++) scores[c] += value * weights[at * classes + c]
    const top = Math.max(...scores)
    const exponentials = scores.map((score) => Math.exp(score - top))
    const sum = exponentials.reduce((total, value) => total + value, 0)
    return exponentials.map((value) => value / sum)
  }
  const vectors = documents.map(featuresOf)
  const order = vectors.map((_, at) => at)
  let state = 1
  for (let epoch = 0; epoch < 20; epoch++) {
    for (let last = order.length - 1; last > 0; last--) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const other = state % (last + 1)
      ;[order[last], order[other]] = [order[other], order[last]]
    }
    const rate = 4 / (1 + 0.3 * epoch)
    for (const at of order) {
      const features = vectors[at]
      const error = probabilities(features)
      error[samples[at].label] -= 1
      for (let c = 0; c < classes; c++) {
        bias[c] -= 0.05 * rate * error[c]
        for (const feature of features) weights[feature.at * classes + c] -= rate * feature.value * error[c]
      }
    }
  }
  return (text) => {
    const scores = probabilities(featuresOf(gramsOf(text)))
    return scores.indexOf(Math.max(...scores))
  }
}

/** Who said a held-out reply, by its letters alone, names masked: the confusion table, rows the true speaker. */
export function classifySpeakers(cast) {
  const names = wholeWords(
    cast.flatMap(({ boundary }) => boundary.names).toSorted((a, b) => b.length - a.length),
    'g',
  )
  const samples = cast.flatMap(({ replies }, label) =>
    replies.map(({ text, split }) => ({ label, split, original: text, text: text.replace(names, '#') })),
  )
  const predict = trainClassifier(
    samples.filter(({ split }) => split === 'train'),
    cast.length,
  )
  const confusion = cast.map(() => Array(cast.length).fill(0))
  const misses = []
  for (const { label, text, original } of samples.filter(({ split }) => split === 'test')) {
    const guess = predict(text)
    confusion[label][guess]++
    if (guess !== label) misses.push(`${cast[label].role} taken for ${cast[guess].role}: ${original}`)
  }
  return { confusion, misses }
}

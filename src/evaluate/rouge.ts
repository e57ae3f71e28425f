import { splitSpaces } from './words.ts'

/** Recall, precision and their harmonic mean. */
export interface RougeScore {
  readonly r: number
  readonly p: number
  readonly f: number
}

export interface RougeScores {
  readonly rouge1: RougeScore
  readonly rouge2: RougeScore
  readonly rougeL: RougeScore
}

const NOTHING: RougeScore = { r: 0, p: 0, f: 0 }
const WITHOUT_WORDS: RougeScores = { rouge1: NOTHING, rouge2: NOTHING, rougeL: NOTHING }

function score(overlap: number, candidate: number, reference: number): RougeScore {
  const p = candidate === 0 ? 0 : overlap / candidate
  const r = reference === 0 ? 0 : overlap / reference
  return { r, p, f: (2 * p * r) / (p + r + 1e-8) }
}

/** Between full stops, spaces made single; what is between two of them may be empty and still counts as a word. */
function sentencesOf(text: string): string[][] {
  const parts = text.split('.').filter((part) => part !== '')
  return parts.map((part) => splitSpaces(part).join(' ').split(' '))
}

function ngramSet(words: readonly string[], order: number): Set<string> {
  const ngrams = new Set<string>()
  for (let start = 0; start + order <= words.length; start++)
    ngrams.add(words.slice(start, start + order).join(' '))
  return ngrams
}

function rougeN(candidate: readonly string[], reference: readonly string[], order: number): RougeScore {
  const own = ngramSet(candidate, order)
  const other = ngramSet(reference, order)
  const shared = [...own].filter((ngram) => other.has(ngram)).length
  return score(shared, own.size, other.size)
}

/** The words of a longest common subsequence of `x` and `y`, ties resolved towards the start of `y`. */
function commonWords(x: readonly string[], y: readonly string[]): string[] {
  const width = y.length + 1
  const table = new Uint32Array((x.length + 1) * width)
  const at = (i: number, j: number): number => table[i * width + j] ?? 0
  for (let i = 1; i <= x.length; i++) {
    for (let j = 1; j <= y.length; j++) {
      table[i * width + j] =
        x[i - 1] === y[j - 1] ? at(i - 1, j - 1) + 1 : Math.max(at(i - 1, j), at(i, j - 1))
    }
  }
  const words: string[] = []
  for (let i = x.length, j = y.length; i > 0 && j > 0;) {
    const word = x[i - 1]
    if (word !== undefined && word === y[j - 1]) {
      words.push(word)
      i--
      j--
    } else if (at(i - 1, j) > at(i, j - 1)) i--
    else j--
  }
  return words
}

/** Summary level: how many different words lie in the longest common subsequence of any two sentences. */
function rougeL(candidate: readonly string[][], reference: readonly string[][]): RougeScore {
  const union = new Set<string>()
  for (const sentence of reference) {
    for (const own of candidate) for (const word of commonWords(sentence, own)) union.add(word)
  }
  return score(union.size, new Set(candidate.flat()).size, new Set(reference.flat()).size)
}

/**
 * ROUGE-1, ROUGE-2 and ROUGE-L of a text against one reference, over sets of n-grams and words; zero where either has no
 * sentence. Not comparable with Google's `rouge_score`.
 *
 * Reference: PyPI `rouge` 1.0.1, `Rouge().get_scores`.
 */
function rouge(candidate: string, reference: string): RougeScores {
  const own = sentencesOf(candidate)
  const other = sentencesOf(reference)
  if (own.length === 0 || other.length === 0) return WITHOUT_WORDS
  return {
    rouge1: rougeN(own.flat(), other.flat(), 1),
    rouge2: rougeN(own.flat(), other.flat(), 2),
    rougeL: rougeL(own, other),
  }
}

function highest(scores: readonly RougeScore[]): RougeScore {
  return {
    r: Math.max(...scores.map(({ r }) => r)),
    p: Math.max(...scores.map(({ p }) => p)),
    f: Math.max(...scores.map(({ f }) => f)),
  }
}

/** ROUGE against several references: recall, precision and F each of the reference that gives most, as in the paper's scripts. */
export function rougeOfMany(candidate: string, references: readonly string[]): RougeScores {
  const scores = references.map((reference) => rouge(candidate, reference))
  if (scores.length === 0) return WITHOUT_WORDS
  return {
    rouge1: highest(scores.map(({ rouge1 }) => rouge1)),
    rouge2: highest(scores.map(({ rouge2 }) => rouge2)),
    rougeL: highest(scores.map(({ rougeL: longest }) => longest)),
  }
}

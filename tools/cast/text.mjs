// What the checks of the cast's lines count: words, gestures, shares.

export const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? []
export const normalise = (text) => words(text).join(' ')
/** What is said aloud: the text without its *gestures*. */
export const spokenPart = (text) =>
  text
    .replace(/\*[^*]*\*/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
/** Words that a full stop belongs to, initials among them; "I." ends a sentence far more often. */
const ABBREVIATION = 'Mr|Mrs|Ms|Messrs|Dr|Prof|St|Rev|Hon|Gen|Col|Capt|Lt|Sgt|Jr|Sr|[A-HJ-Z]'
const SENTENCE_END = new RegExp(
  [
    `(?<=[.!?…]["')]*)`, // marks in a row are one end, with the quotes and brackets that they close
    `(?<!\\b(?:${ABBREVIATION})\\.)`,
    String.raw`(?<!(?:\.\.|…)(?=\s+I\b))`, // a pause before "I" ends nothing
    String.raw`\s+(?!["'(]*\p{Ll})`, // nor does a mark before a small letter: "Who dares?" he cried
  ].join(''),
  'u',
)
/** The sentences said aloud, as a reader would count them: a pause or a quotation inside a sentence does not end it. */
export const sentencesOf = (text) => spokenPart(text).split(SENTENCE_END).filter(Boolean)
export const gesturesOf = (text) => [...text.matchAll(/\*([^*]+)\*/g)].map((match) => match[1])
export const percent = (share) => `${Math.round(100 * share)} %`
const escapeRegExp = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
/** Matches any of the phrases where it stands as whole words; letters of any alphabet count. */
export const wholeWords = (phrases, flags) =>
  new RegExp(`(?<![\\p{L}'])(?:${phrases.map(escapeRegExp).join('|')})(?![\\p{L}])`, `${flags}u`)
export const countBy = (items) => {
  const counts = new Map()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}
export const share = (items, predicate) => items.filter(predicate).length / Math.max(1, items.length)

/** Turns that nobody of the cast uses. */
export const BANNED = [
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
export const HONEST =
  /\b(machine|machinery|engine|contrivance|automaton|clockwork|puppet|mechanism|mill|loom|ai|artificial|no (living )?(man|woman|person|girl|child|monkey|soul|flesh)|not (a |an )?(\w+ )?(man|woman|person|girl|child|monkey|human|flesh|living))\b/i

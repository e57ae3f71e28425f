/** Words that mean nothing by themselves. */
const EMPTY = new Set(
  (
    'a an the is are was were be been am i you your yours me my we our us he him his she her they them their it its ' +
    'do does did done have has had can could will would shall should may might must this that these those there here ' +
    'who what whom whose which when where why how of in on at to for from with by about as and or but not no yes so if ' +
    'then than any some ever very much many tell give say let please just one'
  ).split(' '),
)
const ENDINGS = /(?:ies|es|s|ing|ed|ly)$/
const STEM = 5

/** The words of a text in lower case, without accents, set between single spaces. */
export function plainWords(text: string): string {
  const letters = text.normalize('NFD').replaceAll(/\p{M}+/gu, '')
  return letters
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

/** Whether a text holds one of the phrases at the beginning of a word, without regard to case, accents and marks. */
export function holdsPhrase(text: string, phrases: readonly string[]): boolean {
  const words = ` ${plainWords(text)} `
  return phrases.some((phrase) => words.includes(` ${plainWords(phrase)}`))
}

/** The stems of the words of a text that mean something by themselves, in rough cuts of five letters. */
export function stemsOf(text: string): ReadonlySet<string> {
  const words = plainWords(text).split(' ')
  const kept = words.filter((word) => word.length > 2 && !EMPTY.has(word))
  return new Set(kept.map((word) => word.replace(ENDINGS, '').slice(0, STEM)))
}

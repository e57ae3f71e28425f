const LONGEST_NAME = 80

/** A stranger's name as a name: in one line, of a length that fits, and without marks that turn the text around it. */
export function plainName(written: string): string {
  const plain = written
    .slice(0, 4 * LONGEST_NAME)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const letters = Array.from(plain)
  return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME).join('')}…` : plain || 'Nameless'
}

/** Who is meant by the macros of a text. */
export interface MacroNames {
  /** What the visitor is called. */
  readonly user: string
  readonly character: string
}

/**
 * Replaces the macros of cards and greetings: `{{char}}`, `<char>` and `<bot>` by the character's name, `{{user}}` and
 * `<user>` by the visitor's; `{{original}}` goes. What is filled in is never read as a macro again.
 */
export function fillMacros(text: string, { user, character }: MacroNames): string {
  return text.replaceAll(
    /\{\{(char|user|original)\}\}|<(char|bot|user)>/gi,
    (_, braced?: string, angled?: string) => {
      const name = (braced ?? angled)?.toLowerCase()
      if (name === 'original') return ''
      return name === 'user' ? user : character
    },
  )
}

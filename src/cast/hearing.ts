import type { Turn } from '../core/dialogue.ts'
import { lettersOf } from '../core/names.ts'

/*
 * A chat of several as one of them hears it: what others say reaches them as said to them, under their names, as a data set
 * has it.
 */

/** A line of a chat as somebody hears it who has said it, or has not. */
export function heardLine({ speaker, name, text }: Turn & { readonly name: string }, isOwn: boolean): Turn {
  const isOther = speaker === 'role' && !isOwn && text.trim() !== ''
  return isOther ? { speaker: 'user', text: `${name}: ${text}` } : { speaker, text }
}

/** The strings before which somebody's words end: there they begin to speak for another. */
export function othersStops(name: string, names: readonly string[]): readonly string[] {
  return names.filter((other) => lettersOf(other) !== lettersOf(name)).map((other) => `\n${other}:`)
}

/**
 * What one of several says, without the name that others' lines have before them, which a model takes up.
 *
 * @param isWhole whether nothing more comes: until then the beginning of a name is none of the words.
 */
export function withoutName(text: string, name: string, isWhole: boolean): string {
  const begun = text.trimStart()
  const label = `${name}:`
  if (begun.startsWith(label)) return begun.slice(label.length).trimStart()
  return !isWhole && label.startsWith(begun) ? '' : text
}

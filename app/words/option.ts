import { catalogue } from './catalogue.ts'
import { words } from './en/option.ts'

/** What the settings of a rehearsal say. */
export type OptionWord = keyof typeof words

export const optionText = catalogue(words, () => import('./zh/option.ts'))

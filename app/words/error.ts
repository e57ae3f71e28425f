import { catalogue } from './catalogue.ts'
import { words } from './en/error.ts'

export const errorText = catalogue(words, () => import('./zh/error.ts'))

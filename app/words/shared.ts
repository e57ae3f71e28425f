import { catalogue } from './catalogue.ts'
import { words } from './en/shared.ts'

export const sharedText = catalogue(words, () => import('./zh/shared.ts'))

import { catalogue } from './catalogue.ts'
import { words } from './en/cast.ts'

export const castText = catalogue(words, () => import('./zh/cast.ts'))

import { catalogue } from './catalogue.ts'
import { words } from './en/teach.ts'

export const teachText = catalogue(words, () => import('./zh/teach.ts'))

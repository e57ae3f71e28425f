import { catalogue } from './catalogue.ts'
import { words } from './en/science.ts'

export const scienceText = catalogue(words, () => import('./zh/science.ts'))

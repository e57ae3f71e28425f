import { catalogue } from './catalogue.ts'
import { words } from './en/bench.ts'

export const benchText = catalogue(words, () => import('./zh/bench.ts'))

import { catalogue } from './catalogue.ts'
import { words } from './en/run.ts'

export const runText = catalogue(words, () => import('./zh/run.ts'))

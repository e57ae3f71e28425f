import { catalogue } from './catalogue.ts'
import { words } from './en/arrivals.ts'

export const arrivalsText = catalogue(words, () => import('./zh/arrivals.ts'))

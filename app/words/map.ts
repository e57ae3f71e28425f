import { catalogue } from './catalogue.ts'
import { words } from './en/map.ts'

export const mapText = catalogue(words, () => import('./zh/map.ts'))

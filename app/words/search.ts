import { catalogue } from './catalogue.ts'
import { words } from './en/search.ts'

export const searchText = catalogue(words, () => import('./zh/search.ts'))

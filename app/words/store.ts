import { catalogue } from './catalogue.ts'
import { words } from './en/store.ts'

export const storeText = catalogue(words, () => import('./zh/store.ts'))

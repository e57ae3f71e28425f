import { catalogue } from './catalogue.ts'
import { words } from './en/group.ts'

export const groupText = catalogue(words, () => import('./zh/group.ts'))

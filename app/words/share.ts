import { catalogue } from './catalogue.ts'
import { words } from './en/share.ts'

export const shareText = catalogue(words, () => import('./zh/share.ts'))

import { catalogue } from './catalogue.ts'
import { words } from './en/chat.ts'

export const chatText = catalogue(words, () => import('./zh/chat.ts'))

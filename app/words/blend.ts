import { catalogue } from './catalogue.ts'
import { words } from './en/blend.ts'

export const blendText = catalogue(words, () => import('./zh/blend.ts'))

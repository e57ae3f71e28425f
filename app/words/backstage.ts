import { catalogue } from './catalogue.ts'
import { words } from './en/backstage.ts'

export const backstageText = catalogue(words, () => import('./zh/backstage.ts'))

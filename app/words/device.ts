import { catalogue } from './catalogue.ts'
import { words } from './en/device.ts'

export const deviceText = catalogue(words, () => import('./zh/device.ts'))

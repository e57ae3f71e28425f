import type { ErrorCode } from '../../src/core/errors.ts'
import { errorText } from '../words/error.ts'

/** What can be done about an error beside reading of it. */
type Deed = 'retry' | 'reload' | 'none'

/** What is said of an error: what happened, and what is safe and what to do. */
export interface ErrorAdvice {
  readonly title: string
  readonly advice: string
  readonly deed: Deed
}

const deeds: Readonly<Record<ErrorCode, Deed>> = {
  'webgpu-unavailable': 'reload',
  'device-lost': 'retry',
  'out-of-memory': 'retry',
  'shader-invalid': 'none',
  'shape-mismatch': 'reload',
  'format-invalid': 'none',
  'format-unsupported': 'none',
  'model-incompatible': 'none',
  'template-refused': 'none',
  'not-a-number': 'none',
  'wrong-answers': 'reload',
  'download-failed': 'retry',
  'download-mismatch': 'reload',
  'download-refused': 'none',
  'training-diverged': 'none',
  'storage-full': 'none',
  'storage-corrupt': 'none',
  usage: 'none',
  cancelled: 'none',
}

/** Advice for every error there is. */
export function errorAdvice(code: ErrorCode): ErrorAdvice {
  return { title: errorText(`${code}.title`), advice: errorText(`${code}.advice`), deed: deeds[code] }
}

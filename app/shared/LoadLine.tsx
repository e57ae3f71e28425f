import { useEngine } from '../stores/engine/engine.ts'
import type { LoadStatus } from '../stores/engine/engine.ts'
import { bytes, bytesOf, timeLeft } from './format.ts'
import styles from './LoadLine.module.css'
import { Progress } from './Progress.tsx'
import { sharedText } from '../words/shared.ts'

/** The part of the line that each stage fills, from and to: measured shares of a first visit. */
const stages: Readonly<Record<LoadStatus['stage'], readonly [from: number, to: number]>> = {
  download: [0, 0.7],
  read: [0.7, 0.72],
  convert: [0.72, 0.8],
  upload: [0.8, 0.9],
  compile: [0.9, 0.95],
  'warm-up': [0.95, 0.97],
  measure: [0.97, 1],
}

/** The thin line at the top of the page while the model comes; its words stand elsewhere where there is no room. */
export function LoadLine({ hasWords }: { readonly hasWords: boolean }) {
  const status = useEngine((state) => state.status)
  const phase = useEngine((state) => state.phase)
  if (phase !== 'loading' && phase !== 'starting') return null
  const { name, fraction, details } = describeLoad(status)
  return (
    <aside className={styles.line} aria-label={sharedText('load')}>
      <Progress label={name} fraction={fraction} />
      {hasWords && (
        <p className={styles.words}>
          {[name, ...details].map((part) => (
            <span key={part} className={styles.part}>
              {part}
            </span>
          ))}
        </p>
      )}
    </aside>
  )
}

/** What is being waited for, how far it is, and what is known of it, the least important last. */
export function describeLoad(status: LoadStatus | null): {
  readonly name: string
  readonly fraction: number
  readonly details: readonly string[]
} {
  if (!status) {
    return { name: sharedText('load.start'), fraction: 0, details: [] }
  }
  const { doneBytes, totalBytes, bytesPerSecond, isFromDevice, trouble, stage } = status
  const [from, to] = stages[stage]
  const share = totalBytes > 0 ? doneBytes / totalBytes : 0
  const details = totalBytes > 0 ? [bytesOf(doneBytes, totalBytes)] : []
  if (stage === 'download' && isFromDevice) details.push(sharedText('load.fromDevice'))
  if (trouble !== null) details.push(sharedText('load.trouble'))
  else if (bytesPerSecond > 0 && doneBytes < totalBytes) {
    details.push(
      timeLeft((totalBytes - doneBytes) / bytesPerSecond),
      sharedText('perSecond', { size: bytes(bytesPerSecond) }),
    )
  }
  return { name: sharedText(`load.${stage}`), fraction: from + (to - from) * share, details }
}

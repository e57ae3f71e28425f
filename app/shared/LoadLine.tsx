import { useEngine } from '../stores/engine/engine.ts'
import type { LoadStatus } from '../stores/engine/engine.ts'
import { bytes, bytesOf, timeLeft } from './format.ts'
import styles from './LoadLine.module.css'
import { Progress } from './Progress.tsx'

/** What each stage is called, and the part of the line it fills: measured shares of a first visit. */
const stages: Readonly<
  Record<LoadStatus['stage'], { readonly name: string; readonly from: number; readonly to: number }>
> = {
  download: { name: 'Fetching the model', from: 0, to: 0.7 },
  read: { name: 'Reading the model', from: 0.7, to: 0.72 },
  convert: { name: 'Preparing the model for the processor', from: 0.72, to: 0.8 },
  upload: { name: 'Moving it onto the graphics card', from: 0.8, to: 0.9 },
  compile: { name: 'Preparing the graphics card', from: 0.9, to: 0.95 },
  'warm-up': { name: 'Warming up', from: 0.95, to: 0.97 },
  measure: { name: 'Measuring how fast it answers', from: 0.97, to: 1 },
}

/** The thin line at the top of the page while the model comes; its words stand elsewhere where there is no room. */
export function LoadLine({ hasWords }: { readonly hasWords: boolean }) {
  const status = useEngine((state) => state.status)
  const phase = useEngine((state) => state.phase)
  if (phase !== 'loading' && phase !== 'starting') return null
  const { name, fraction, details } = describeLoad(status)
  return (
    <aside className={styles.line} aria-label="Loading">
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
    return { name: 'Looking for the graphics card', fraction: 0, details: [] }
  }
  const { doneBytes, totalBytes, bytesPerSecond, isFromDevice, trouble, stage } = status
  const { name, from, to } = stages[stage]
  const share = totalBytes > 0 ? doneBytes / totalBytes : 0
  const details = totalBytes > 0 ? [bytesOf(doneBytes, totalBytes)] : []
  if (stage === 'download' && isFromDevice) details.push('from this device')
  if (trouble !== null) details.push('the connection broke, trying again')
  else if (bytesPerSecond > 0 && doneBytes < totalBytes) {
    details.push(timeLeft((totalBytes - doneBytes) / bytesPerSecond), `${bytes(bytesPerSecond)}/s`)
  }
  return { name, fraction: from + (to - from) * share, details }
}

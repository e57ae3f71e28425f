import styles from './LengthHistogram.module.css'
import { teachText } from '../../words/teach.ts'

interface LengthHistogramProps {
  /** In tokens, one a dialogue. */
  readonly lengths: readonly number[]
  readonly maxTokens: number
}

const BINS = 24
const WIDTH = 320
const HEIGHT = 92

/** How long the dialogues are, as bars that say their numbers to a screen reader in one sentence. */
export function LengthHistogram({ lengths, maxTokens }: LengthHistogramProps) {
  const sorted = lengths.toSorted((a, b) => a - b)
  const longest = sorted.at(-1) ?? 0
  const median = sorted[sorted.length >> 1] ?? 0
  const top = Math.min(maxTokens, Math.max(BINS, Math.ceil(longest / BINS) * BINS))
  const bins = countBins(sorted, top)
  const most = Math.max(1, ...bins)
  const width = WIDTH / BINS
  const words = teachText('lengths', { median, longest, maxTokens })
  return (
    <figure className={styles.figure}>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT + 18}`}
        role="img"
        aria-label={teachText('lengths.picture', { words })}
      >
        {bins.map((bin, index) => {
          const height = (bin / most) * HEIGHT
          return (
            <rect
              // A bin is what its place says.
              key={index}
              className={styles.bar}
              x={index * width + 1}
              y={HEIGHT - height}
              width={width - 2}
              height={height}
            />
          )
        })}
        <line className={styles.axis} x1="0" y1={HEIGHT + 0.5} x2={WIDTH} y2={HEIGHT + 0.5} />
        <text className={styles.label} x="0" y={HEIGHT + 14}>
          0
        </text>
        <text className={styles.label} x={WIDTH} y={HEIGHT + 14} textAnchor="end">
          {teachText('lengths.top', { top })}
        </text>
      </svg>
      <figcaption className={styles.caption}>{words}</figcaption>
    </figure>
  )
}

function countBins(lengths: readonly number[], top: number): readonly number[] {
  const bins = Array.from({ length: BINS }, () => 0)
  for (const length of lengths) {
    const bin = Math.min(BINS - 1, Math.floor((length / (top + 1)) * BINS))
    bins[bin] = (bins[bin] ?? 0) + 1
  }
  return bins
}

import styles from './RolePlane.module.css'
import { runText } from '../../words/run.ts'
import { decimal } from '../../shared/format.ts'

interface RolePlaneProps {
  readonly names: readonly string[]
  /** [names, 2]. */
  readonly points: Float32Array
  /** Who is being taught. */
  readonly taught: string
}

const WIDTH = 360
const HEIGHT = 300
const MARGIN = { side: 64, end: 22 }
const LABEL_HEIGHT = 14
/** Of 12 px letters, on average and a little more. */
const LETTER_WIDTH = 6.8

/** All characters on one plane, the first two principal components of their weights, each by its name. */
export function RolePlane({ names, points, taught }: RolePlaneProps) {
  const placed = placeOf(names, points)
  const labels = labelsOf(placed)
  const words = names
    .map((name, index) =>
      runText('plane.at', {
        name,
        x: decimal(points[2 * index] ?? 0, 2),
        y: decimal(points[2 * index + 1] ?? 0, 2),
      }),
    )
    .join('; ')
  return (
    <figure className={styles.figure}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={runText('plane', { words })}>
        {placed.map(({ name, x, y }, index) => (
          <g key={name}>
            <circle className={name === taught ? styles.taught : styles.dot} cx={x} cy={y} r="4" />
            <text
              className={styles.label}
              x={labels[index]?.x ?? x}
              y={labels[index]?.y ?? y}
              textAnchor={labels[index]?.anchor ?? 'middle'}
            >
              {name}
            </text>
          </g>
        ))}
      </svg>
      <figcaption className={styles.caption}>{runText('plane.about')}</figcaption>
    </figure>
  )
}

interface Placed {
  readonly name: string
  readonly x: number
  readonly y: number
}

/** Both directions on one scale, so that distances are true. */
function placeOf(names: readonly string[], points: Float32Array): readonly Placed[] {
  const xs = names.map((_, index) => points[2 * index] ?? 0)
  const ys = names.map((_, index) => points[2 * index + 1] ?? 0)
  const [left, right] = [Math.min(...xs), Math.max(...xs)]
  const [low, high] = [Math.min(...ys), Math.max(...ys)]
  const scale = Math.min(
    (WIDTH - 2 * MARGIN.side) / (right - left || 1),
    (HEIGHT - 2 * MARGIN.end - LABEL_HEIGHT) / (high - low || 1),
  )
  return names.map((name, index) => ({
    name,
    x: WIDTH / 2 + ((xs[index] ?? 0) - (left + right) / 2) * scale,
    y: (HEIGHT + LABEL_HEIGHT) / 2 - ((ys[index] ?? 0) - (low + high) / 2) * scale,
  }))
}

interface Label {
  readonly x: number
  readonly y: number
  readonly anchor: 'start' | 'middle' | 'end'
}

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Where each name stands: above its point, below, right or left of it, wherever it covers the least first. */
function labelsOf(placed: readonly Placed[]): readonly Label[] {
  const taken: Box[] = placed.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }))
  return placed.map(({ name, x, y }) => {
    const width = name.length * LETTER_WIDTH
    const candidates: readonly Label[] = [
      { x, y: y - 9, anchor: 'middle' },
      { x, y: y + 17, anchor: 'middle' },
      { x: x + 9, y: y + 4, anchor: 'start' },
      { x: x - 9, y: y + 4, anchor: 'end' },
      { x: x + 5, y: y - 8, anchor: 'start' },
      { x: x - 5, y: y - 8, anchor: 'end' },
      { x: x + 5, y: y + 16, anchor: 'start' },
      { x: x - 5, y: y + 16, anchor: 'end' },
    ]
    let [label] = candidates
    let least = Infinity
    for (const candidate of candidates) {
      const box = boxOf(candidate, width)
      const within = covered(box, { left: 0, right: WIDTH, top: 0, bottom: HEIGHT })
      const outside = (box.right - box.left) * (box.bottom - box.top) - within
      const cost = outside + taken.reduce((sum, other) => sum + covered(box, other), 0)
      // Sums of the same rectangle differ in the last digit.
      if (cost < least - 1e-6) [label, least] = [candidate, cost]
    }
    const chosen: Label = label ?? { x, y: y - 9, anchor: 'middle' }
    taken.push(boxOf(chosen, width))
    return chosen
  })
}

function boxOf({ x, y, anchor }: Label, width: number): Box {
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2
  return { left, right: left + width, top: y - LABEL_HEIGHT + 3, bottom: y + 3 }
}

/** How much of one box another covers. */
function covered(one: Box, other: Box): number {
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left)
  const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)
  return Math.max(0, width) * Math.max(0, height)
}

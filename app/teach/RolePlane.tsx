import styles from './RolePlane.module.css'

interface RolePlaneProps {
  readonly names: readonly string[]
  /** [names, 2]. */
  readonly points: Float32Array
}

const WIDTH = 360
const HEIGHT = 220
const MARGIN = { side: 64, end: 22 }
const LABEL_HEIGHT = 14
/** Of 12 px letters, on average and a little more. */
const LETTER_WIDTH = 6.8

/** All characters on one plane, the first two principal components of their weights, each by its name. */
export function RolePlane({ names, points }: RolePlaneProps) {
  const placed = placeOf(names, points)
  const labels = labelsOf(placed)
  const words = names
    .map(
      (name, index) =>
        `${name} at ${(points[2 * index] ?? 0).toFixed(2)}, ${(points[2 * index + 1] ?? 0).toFixed(2)}`,
    )
    .join('; ')
  return (
    <figure className={styles.figure}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`The characters on a plane: ${words}.`}>
        <rect className={styles.frame} x="0.5" y="0.5" width={WIDTH - 1} height={HEIGHT - 1} rx="8" />
        {placed.map(({ name, x, y }, index) => (
          <g key={name}>
            <circle
              className={index === placed.length - 1 ? styles.newest : styles.dot}
              cx={x}
              cy={y}
              r="4"
            />
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
      <figcaption className={styles.caption}>
        Near one another means alike; the two directions in which they differ most.
      </figcaption>
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

/** Where each name stands: above its point, below, right or left of it, wherever it covers nothing first. */
function labelsOf(placed: readonly Placed[]): readonly Label[] {
  const taken: Box[] = placed.map(({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }))
  return placed.map(({ name, x, y }) => {
    const candidates: readonly Label[] = [
      { x, y: y - 9, anchor: 'middle' },
      { x, y: y + 17, anchor: 'middle' },
      { x: x + 9, y: y + 4, anchor: 'start' },
      { x: x - 9, y: y + 4, anchor: 'end' },
      { x: x + 7, y: y - 10, anchor: 'start' },
      { x: x - 7, y: y + 16, anchor: 'end' },
    ]
    const width = name.length * LETTER_WIDTH
    const free = candidates.find((label) => {
      const box = boxOf(label, width)
      const isInside = box.left > 0 && box.right < WIDTH && box.top > 0 && box.bottom < HEIGHT
      return isInside && !taken.some((other) => overlaps(box, other))
    })
    const label: Label = free ?? { x, y: y - 9, anchor: 'middle' }
    taken.push(boxOf(label, width))
    return label
  })
}

function boxOf({ x, y, anchor }: Label, width: number): Box {
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2
  return { left, right: left + width, top: y - LABEL_HEIGHT + 3, bottom: y + 3 }
}

function overlaps(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
}

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

/** All characters on one plane, the first two principal components of their weights, each by its name. */
export function RolePlane({ names, points }: RolePlaneProps) {
  const placed = placeOf(names, points)
  const labels = apart(placed)
  const words = names
    .map(
      (name, index) =>
        `${shown(name)} at ${(points[2 * index] ?? 0).toFixed(2)}, ${(points[2 * index + 1] ?? 0).toFixed(2)}`,
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
            <text className={styles.label} x={x} y={(labels[index] ?? y) - 8} textAnchor="middle">
              {shown(name)}
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

/** Heights of the labels, moved up where one would lie on another. */
function apart(placed: readonly Placed[]): readonly number[] {
  const taken: { x: number; y: number }[] = []
  const heights = new Map<number, number>()
  const order = placed.map((point, index) => ({ ...point, index })).toSorted((a, b) => b.y - a.y)
  for (const { x, y, index } of order) {
    let height = y
    while (taken.some((other) => Math.abs(other.x - x) < 96 && Math.abs(other.y - height) < LABEL_HEIGHT))
      height -= 2
    taken.push({ x, y: height })
    heights.set(index, height)
  }
  return placed.map((_, index) => heights.get(index) ?? 0)
}

function shown(name: string): string {
  return name.replaceAll('_', ' ')
}

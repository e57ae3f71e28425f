import styles from './HeatMap.module.css'

interface HeatMapProps {
  readonly names: readonly string[]
  /** [names, names] row-major, −1 to 1. */
  readonly cosines: Float32Array
}

/** Up to this many roles their numbers fit into the cells. */
const NUMBERED = 7

/** The cosine of every pair, as a table whose cells are tinted by it: it is its own text alternative. */
export function HeatMap({ names, cosines }: HeatMapProps) {
  const hasNumbers = names.length <= NUMBERED
  return (
    <figure className={styles.figure}>
      {/* A region that scrolls must be reachable without a mouse. */}
      <div className={styles.scroll} role="region" aria-label="Likeness of every pair, a table" tabIndex={0}>
        <table className={styles.table}>
          <thead>
            <tr>
              <td />
              {names.map((name) => (
                <th key={name} scope="col" abbr={name} title={name}>
                  {initials(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((row, i) => (
              <tr key={row}>
                <th scope="row">{row}</th>
                {names.map((column, j) => {
                  const cosine = cosines[i * names.length + j] ?? 0
                  return (
                    <td
                      key={column}
                      className={hasNumbers ? styles.wide : styles.narrow}
                      title={`${row} and ${column}: ${cosine.toFixed(2)}`}
                    >
                      <svg
                        viewBox="0 0 36 28"
                        aria-hidden={hasNumbers}
                        role="img"
                        aria-label={cosine.toFixed(2)}
                      >
                        <rect
                          className={styles.cell}
                          width="36"
                          height="28"
                          fillOpacity={0.04 + 0.46 * Math.max(0, cosine) ** 2}
                        />
                      </svg>
                      {hasNumbers && <span className={styles.number}>{cosine.toFixed(2)}</span>}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <figcaption className={styles.caption}>
        How alike two characters’ weights are: 1 is the same, 0 has nothing in common.
      </figcaption>
    </figure>
  )
}

/** "QE" for "Queen Elizabeth I". */
function initials(name: string): string {
  const words = name.split(/\s+/)
  return words.length === 1
    ? name.slice(0, 2)
    : words
        .map((word) => word.charAt(0))
        .join('')
        .slice(0, 2)
}

import styles from './HeatMap.module.css'
import { runText } from '../../words/run.ts'
import { decimal } from '../../shared/format.ts'

interface HeatMapProps {
  readonly names: readonly string[]
  /** [names, names] row-major, −1 to 1. */
  readonly cosines: Float32Array
}

/** Up to this many roles their numbers fit into the cells. */
const NUMBERED = 7

/** The faintest and the strongest tint; numbers must stay readable on it. */
const FAINT = 0.06
const STRONG = { numbered: 0.5, plain: 0.9 }

/** The cosine of every pair, as a table whose cells are tinted by it: it is its own text alternative. */
export function HeatMap({ names, cosines }: HeatMapProps) {
  const hasNumbers = names.length <= NUMBERED
  const pairs = pairsOf(names, cosines)
  // All of a company are alike to some degree: the tint begins where the least alike are.
  const lowest = Math.min(0.99, pairs[0]?.cosine ?? 0)
  const strong = hasNumbers ? STRONG.numbered : STRONG.plain
  const tintOf = (cosine: number): number =>
    FAINT + (strong - FAINT) * Math.max(0, (cosine - lowest) / (1 - lowest))
  return (
    <figure className={styles.figure}>
      {/* A region that scrolls must be reachable without a mouse. */}
      <div className={styles.scroll} role="region" aria-label={runText('likeness.table')} tabIndex={0}>
        <table className={hasNumbers ? styles.numbered : styles.plain}>
          <Initials names={names} />
          <tbody>
            {names.map((row, i) => (
              <tr key={row}>
                <th scope="row" title={row}>
                  {row}
                </th>
                {names.map((column, j) => {
                  const cosine = cosines[i * names.length + j] ?? 0
                  return (
                    <td
                      key={column}
                      title={runText('likeness.pair', {
                        one: row,
                        other: column,
                        cosine: decimal(cosine, 2),
                      })}
                    >
                      <svg aria-hidden={hasNumbers} role="img" aria-label={decimal(cosine, 2)}>
                        <rect
                          className={styles.cell}
                          width="100%"
                          height="100%"
                          fillOpacity={tintOf(cosine)}
                        />
                      </svg>
                      {hasNumbers && <span className={styles.number}>{decimal(cosine, 2)}</span>}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <figcaption className={styles.caption}>
        {runText('likeness')}
        {pairs.length > 1 && ` ${wordsOf(pairs)}`}
      </figcaption>
    </figure>
  )
}

/** The heads of the columns. */
function Initials({ names }: Pick<HeatMapProps, 'names'>) {
  return (
    <thead>
      <tr>
        <td />
        {names.map((name) => (
          <th key={name} scope="col" abbr={name} title={name}>
            <span className={styles.initials}>{initials(name)}</span>
          </th>
        ))}
      </tr>
    </thead>
  )
}

interface Pair {
  readonly one: string
  readonly other: string
  readonly cosine: number
}

/** Every pair once, the least alike first. */
function pairsOf(names: readonly string[], cosines: Float32Array): readonly Pair[] {
  return names
    .flatMap((one, i) =>
      names
        .slice(0, i)
        .map((other, j) => ({ one: other, other: one, cosine: cosines[i * names.length + j] ?? 0 })),
    )
    .toSorted((one, other) => one.cosine - other.cosine)
}

function wordsOf(pairs: readonly Pair[]): string {
  const [least, most] = [pairs[0], pairs.at(-1)]
  const words = (pair: Pair | undefined): string =>
    pair
      ? runText('likeness.named', { one: pair.one, other: pair.other, cosine: decimal(pair.cosine, 2) })
      : ''
  return runText('likeness.ends', { most: words(most), least: words(least) })
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

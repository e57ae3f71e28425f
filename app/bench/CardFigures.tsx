import { floorMilliseconds } from '../../src/core/cardResult.ts'
import type { CardModel, CardResult, CardRow, CardSide } from '../../src/core/cardResult.ts'
import { Rich } from '../shared/Rich.tsx'
import { benchText } from '../words/bench.ts'
import { detailText } from '../words/details.ts'
import styles from './BenchScreen.module.css'

function sideText(side: CardSide): string {
  switch (side) {
    case 'bare':
      return benchText('side.bare')
    case 'role':
      return benchText('side.role')
    case 'reading':
      return benchText('side.reading')
    case 'onnxruntime':
      return side
    default:
      return side satisfies never
  }
}

/** "12.3 tokens/s (11.9–12.6)". */
function figure({ median, low, high, unit, note = '' }: CardRow): string {
  return median === null || low === null || high === null
    ? benchText('leftOut', { note: detailText(note) })
    : benchText('figure', { median: String(median), unit, low: String(low), high: String(high) })
}

/** The highest rate among a model's rows of one case, which the bars are drawn against. */
function highest(rows: readonly CardRow[], of: CardRow): number {
  return Math.max(...rows.filter((row) => row.case === of.case).map(({ median }) => median ?? 0))
}

/** What a card was measured to do, model by model. */
export function CardFigures({ result }: { readonly result: CardResult }) {
  const { device, isSoftware, browser, date, commit, floor } = result
  const card = [device.vendor, device.architecture, device.driver].filter(Boolean).join(' · ')
  const name = card === '' ? benchText('nameless') : card
  const version = commit === '' ? benchText('version.unknown') : commit.slice(0, 12)
  const rate = (floor.copyBytesPerSecond / 1e9).toPrecision(3)
  const dispatch = String(floor.dispatchMicroseconds)
  return (
    <>
      <p>{isSoftware ? benchText('software', { card: name }) : name}</p>
      <p className={styles.note}>{benchText('facts', { browser, date, version, rate, dispatch })}</p>
      {result.models.map((model) => (
        <ModelFigures key={model.name} result={result} model={model} />
      ))}
    </>
  )
}

function ModelFigures({ result, model }: { readonly result: CardResult; readonly model: CardModel }) {
  const least = floorMilliseconds(result, model.weightBytes, model.dispatchesPerToken)
  return (
    <>
      <h3 className={styles.model}>
        <Rich
          text={benchText('model', { name: model.name, type: model.type })}
          tags={{ type: <span lang="en" /> }}
        />
      </h3>
      <div
        className={styles.scroll}
        role="region"
        aria-label={benchText('table', { name: model.name })}
        tabIndex={0}
      >
        <table className={styles.table}>
          <tbody>
            {model.rows.map((row) => (
              <tr key={`${row.case} ${row.side}`}>
                <th scope="row">{row.case}</th>
                <td>{sideText(row.side)}</td>
                <td>
                  {row.median !== null && row.unit === 'tokens/s' && (
                    <meter
                      value={row.median}
                      max={highest(model.rows, row)}
                      aria-label={benchText('bar', { part: row.case, side: sideText(row.side) })}
                    />
                  )}
                </td>
                <td>{figure(row)}</td>
              </tr>
            ))}
            {model.kernels?.map(({ kernel, dispatches, microseconds }) => (
              <tr key={kernel}>
                <th scope="row">{kernel}</th>
                <td>{benchText('perToken', { dispatches })}</td>
                <td />
                <td>{benchText('microseconds', { time: String(microseconds) })}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className={styles.note}>
        {benchText('floor', {
          dispatches: model.dispatchesPerToken,
          least: least.toPrecision(3),
          rival: detailText(model.rivalNote),
        })}
      </p>
    </>
  )
}

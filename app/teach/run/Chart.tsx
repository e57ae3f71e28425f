import { useEffect, useId, useRef, useState } from 'react'

import { useSettings } from '../../stores/page/settings.ts'
import { spread } from '../../stores/teach/progress.ts'
import styles from './Chart.module.css'
import { LivePlot } from './livePlot.ts'
import type { ChartLine } from './plotOptions.ts'
import { runText } from '../../words/run.ts'

interface ChartProps {
  readonly title: string
  /** What it shows, in one sentence or two; read out and shown. */
  readonly summary: string
  readonly steps: readonly number[]
  readonly lines: readonly ChartLine[]
  readonly format: (value: number) => string
  readonly height: number
}

/** Rows of the table behind a chart. */
const ROWS = 24

/** A chart of thin lines, each labelled at its end, with its numbers as a table behind it. */
export function Chart({ title, summary, steps, lines, format, height }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<LivePlot | null>(null)
  const [pointed, setPointed] = useState<number | null>(null)
  const theme = useSettings((state) => state.theme)
  const titleId = useId()
  useEffect(() => {
    if (!place.current) return
    plot.current ??= new LivePlot(place.current, setPointed)
    plot.current.show({ steps, lines, format, height, theme })
  }, [steps, lines, format, height, theme])
  useEffect(
    () => () => {
      plot.current?.destroy()
      plot.current = null
    },
    [],
  )

  const at = pointed ?? steps.length - 1
  return (
    <figure className={styles.chart} aria-labelledby={titleId}>
      <figcaption className={styles.head}>
        <span id={titleId} className={styles.title}>
          {title}
        </span>
        <span className={styles.now}>
          {pointed !== null && <span>{runText('step', { step: steps[at] ?? 0 })}</span>}
          {lines.map(({ name, values }) => {
            const value = valueAt(values, at)
            if (value === null) return null
            return (
              <span key={name}>
                {lines.length > 1 && `${name} `}
                {format(value)}
              </span>
            )
          })}
        </span>
      </figcaption>
      <div ref={place} className={styles.plot} role="img" aria-label={`${title}. ${summary}`} />
      <p className={styles.summary}>{summary}</p>
      <ChartTable title={title} steps={steps} lines={lines} format={format} />
    </figure>
  )
}

/** The value at an index, or the last one before it. */
function valueAt(values: readonly (number | null)[], index: number): number | null {
  for (let at = index; at >= 0; at--) {
    const value = values[at]
    if (value !== null && value !== undefined) return value
  }
  return null
}

type ChartTableProps = Pick<ChartProps, 'title' | 'steps' | 'lines' | 'format'>

function ChartTable({ title, steps, lines, format }: ChartTableProps) {
  const [isOpen, setIsOpen] = useState(false)
  const rows = isOpen
    ? spread(
        steps.map((step, index) => ({ step, index })),
        ROWS,
      )
    : []
  return (
    <details className={styles.fold} onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary aria-label={runText('chart.numbersOf', { title })}>{runText('chart.numbers')}</summary>
      {isOpen && (
        // A region that scrolls must be reachable without a mouse.
        <div
          className={styles.scroll}
          role="region"
          aria-label={runText('chart.table', { title })}
          tabIndex={0}
        >
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{runText('chart.step')}</th>
                {lines.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ step, index }) => (
                <tr key={step}>
                  <th scope="row">{step}</th>
                  {lines.map(({ name, values }) => {
                    const value = values[index]
                    return <td key={name}>{value === null || value === undefined ? '–' : format(value)}</td>
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  )
}

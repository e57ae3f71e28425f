import type { StepPoint } from '../../../src/core/training.ts'
import { useMemo } from 'react'

import type { RunHistory } from '../../../src/storage/runs.ts'
import { describeLoss } from '../../stores/teach/progress.ts'
import { Chart } from './Chart.tsx'
import type { ChartLine } from './plotOptions.ts'
import styles from './RunCharts.module.css'

/** The loss of a run, live; before the first step there is nothing to draw. */
export function LossChart({ history }: { readonly history: RunHistory }) {
  const loss = useMemo(() => lossLines(history), [history])
  if (history.points.length === 0) return null
  return (
    <Chart
      title="Loss"
      summary={describeLoss(history)}
      steps={loss.steps}
      lines={loss.lines}
      format={twoDigits}
      height={240}
    />
  )
}

/** The other numbers of a run, live. */
export function SmallCharts({ points }: Pick<RunHistory, 'points'>) {
  const steps = useMemo(() => points.map(({ step }) => step), [points])
  const small = useMemo(() => smallCharts(points), [points])
  if (points.length === 0) return null
  return (
    <div className={styles.charts}>
      {small.map(({ title, lines, format }) => (
        <Chart
          key={title}
          title={title}
          summary={describeLine(lines[0], format)}
          steps={steps}
          lines={lines}
          format={format}
          height={136}
        />
      ))}
    </div>
  )
}

/** The loss on the lines and on those held out, over the steps of both. */
function lossLines({ points, heldOut }: RunHistory): {
  readonly steps: readonly number[]
  readonly lines: readonly ChartLine[]
} {
  const learnt = new Map(points.map((point) => [point.step, point.crossEntropy]))
  const kept = new Map(heldOut.map((point) => [point.step, point.loss]))
  const steps = [...new Set([...learnt.keys(), ...kept.keys()])].toSorted((a, b) => a - b)
  const on: ChartLine = {
    name: 'the lines',
    look: 'solid',
    values: steps.map((step) => learnt.get(step) ?? null),
  }
  const out: ChartLine = {
    name: 'held out',
    look: 'dashed',
    values: steps.map((step) => kept.get(step) ?? null),
  }
  return { steps, lines: kept.size > 0 ? [on, out] : [on] }
}

interface SmallChart {
  readonly title: string
  readonly lines: readonly ChartLine[]
  readonly format: (value: number) => string
}

function smallCharts(points: readonly StepPoint[]): readonly SmallChart[] {
  const chart = (
    title: string,
    name: string,
    format: SmallChart['format'],
    read: (point: StepPoint) => number,
  ): SmallChart => ({ title, format, lines: [{ name, look: 'solid', values: points.map(read) }] })
  return [
    chart('Telling characters apart (HCL)', 'HCL', twoDigits, (point) => point.contrast),
    chart('Its weight λ', 'λ', significant, (point) => point.lambda),
    chart('Learning rate', 'rate', significant, (point) => point.learningRate),
    chart('Gradient norm', 'norm', twoDigits, (point) => point.gradientNorm),
  ]
}

/** A small chart in words: where it began, where it is. */
function describeLine(line: ChartLine | undefined, format: (value: number) => string): string {
  const values = (line?.values ?? []).filter((value) => value !== null)
  const [first, last] = [values[0], values.at(-1)]
  if (first === undefined || last === undefined) return 'No step is done yet.'
  return format(first) === format(last) ? `At ${format(last)}.` : `From ${format(first)} to ${format(last)}.`
}

function twoDigits(value: number): string {
  return value.toFixed(2)
}

/** Two digits that say something, however small the number. */
function significant(value: number): string {
  if (value === 0) return '0'
  return Math.abs(value) >= 0.01
    ? String(Number(value.toPrecision(2)))
    : value.toExponential(1).replace('e-', 'e−')
}

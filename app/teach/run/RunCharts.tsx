import type { StepPoint } from '../../../src/core/training.ts'
import { useMemo } from 'react'

import type { RunHistory } from '../../../src/storage/runs.ts'
import { describeLoss } from '../../stores/teach/lossWords.ts'
import { Chart } from './Chart.tsx'
import type { ChartLine } from './plotOptions.ts'
import styles from './RunCharts.module.css'
import { runText } from '../../words/run.ts'

/** The loss of a run, live; before the first step there is nothing to draw. */
export function LossChart({ history }: { readonly history: RunHistory }) {
  const loss = lossLines(history)
  if (history.points.length === 0) return null
  return (
    <Chart
      title={runText('loss')}
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
  const small = smallCharts(points)
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
    name: runText('loss.lines'),
    look: 'solid',
    values: steps.map((step) => learnt.get(step) ?? null),
  }
  const out: ChartLine = {
    name: runText('loss.heldOut'),
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
    id: 'contrast' | 'lambda' | 'rate' | 'norm',
    format: SmallChart['format'],
    read: (point: StepPoint) => number,
  ): SmallChart => ({
    title: runText(`chart.${id}`),
    format,
    lines: [{ name: runText(`line.${id}`), look: 'solid', values: points.map(read) }],
  })
  return [
    chart('contrast', twoDigits, (point) => point.contrast),
    chart('lambda', significant, (point) => point.lambda),
    chart('rate', significant, (point) => point.learningRate),
    chart('norm', twoDigits, (point) => point.gradientNorm),
  ]
}

/** A small chart in words: where it began, where it is. */
function describeLine(line: ChartLine | undefined, format: (value: number) => string): string {
  const values = (line?.values ?? []).filter((value) => value !== null)
  const [first, last] = [values[0], values.at(-1)]
  if (first === undefined || last === undefined) return runText('noStep')
  return format(first) === format(last)
    ? runText('chart.at', { last: format(last) })
    : runText('chart.fromTo', { first: format(first), last: format(last) })
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

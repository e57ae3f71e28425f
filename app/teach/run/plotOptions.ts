import type uPlot from 'uplot'

/** One line of a chart: a value a step, null where there is none. */
export interface ChartLine {
  readonly name: string
  readonly values: readonly (number | null)[]
  /** A dashed line has points: where it was measured. */
  readonly look: 'solid' | 'dashed'
}

interface PlotLook {
  readonly lines: readonly Pick<ChartLine, 'name' | 'look'>[]
  readonly height: number
  /** The element it is drawn in; its colours are the plot's. */
  readonly place: HTMLElement
  readonly format: (value: number) => string
  /** Called with the index that is pointed at, or null. */
  readonly onPoint: (index: number | null) => void
}

const FONT = '12px system-ui, sans-serif'
/** Room for a label at the end of a line. */
const LABEL_WIDTH = 76
const LABEL_HEIGHT = 15

/** How a chart is drawn: thin lines, direct labels, no legend. */
export function plotOptions({ lines, height, place, format, onPoint }: PlotLook): uPlot.Options {
  const faint = (): string => colourOf(place, '--plot-faint')
  const axis: uPlot.Axis = {
    stroke: faint,
    font: FONT,
    grid: { stroke: () => colourOf(place, '--plot-grid'), width: 1 },
    ticks: { show: false },
  }
  const hasLabels = lines.length > 1
  return {
    width: Math.max(place.clientWidth, 1),
    height,
    padding: [10, hasLabels ? LABEL_WIDTH : 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 26, gap: 4, space: 60, grid: { show: false }, incrs: WHOLE },
      {
        ...axis,
        size: 50,
        gap: 6,
        space: 34,
        values: (_: uPlot, splits: number[]) => splits.map(format),
      },
    ],
    series: [
      {},
      ...lines.map(({ look }, index): uPlot.Series => ({
        stroke: () => colourOf(place, index === 0 ? '--plot-first' : '--plot-second'),
        width: 1.5,
        spanGaps: true,
        ...(look === 'dashed' ? { dash: [5, 4] } : {}),
        // A single value makes no line: it is a point.
        points: {
          show: (plot: uPlot) => look === 'dashed' || plot.data[0].length < 2,
          size: 5,
          width: 1.5,
        },
      })),
    ],
    hooks: {
      setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)],
      draw: hasLabels ? [(plot) => drawLabels(plot, lines, place)] : [],
    },
  }
}

/** Steps are whole numbers, and so is what stands below the chart. */
const WHOLE = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000]

/** A colour of the page as the canvas takes it. */
function colourOf(
  place: HTMLElement,
  name: '--plot-faint' | '--plot-grid' | '--plot-first' | '--plot-second',
): string {
  // Only a real property resolves light-dark(); the plot's colours are lent to four that draw nothing here.
  const style = getComputedStyle(place)
  switch (name) {
    case '--plot-faint':
      return style.textDecorationColor
    case '--plot-grid':
      return style.borderTopColor
    case '--plot-first':
      return style.color
    case '--plot-second':
      return style.caretColor
    default:
      return name satisfies never
  }
}

/** Writes each line's name beside its last point, apart from one another. */
function drawLabels(plot: uPlot, lines: PlotLook['lines'], place: HTMLElement): void {
  const { ctx } = plot
  const ratio = devicePixelRatio
  const labels = lines.flatMap(({ name }, index) => {
    const values = plot.data[index + 1] ?? []
    const last = values.findLastIndex((value) => value !== null && value !== undefined)
    const value = values[last]
    if (value === null || value === undefined) return []
    return [{ name, index, y: plot.valToPos(value, 'y', true) }]
  })
  labels.sort((a, b) => a.y - b.y)
  let above = -Infinity
  ctx.save()
  ctx.font = `${12 * ratio}px system-ui, sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'middle'
  for (const { name, index, y } of labels) {
    above = Math.max(y, above + LABEL_HEIGHT * ratio)
    ctx.fillStyle = colourOf(place, index === 0 ? '--plot-first' : '--plot-second')
    ctx.fillText(name, plot.bbox.left + plot.bbox.width + 8 * ratio, above)
  }
  ctx.restore()
}

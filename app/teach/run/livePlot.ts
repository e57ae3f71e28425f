import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

import type { ChartLine } from './plotOptions.ts'
import { plotOptions } from './plotOptions.ts'

/** What a plot shows. */
interface PlotContent {
  readonly steps: readonly number[]
  readonly lines: readonly ChartLine[]
  readonly format: (value: number) => string
  readonly height: number
  /** Whatever the colours hang on: a change of it paints them anew. */
  readonly theme: string
}

/** A plot in an element of the page: made once, fed with every change, as wide as its place. */
export class LivePlot {
  private readonly place: HTMLElement
  private readonly onPoint: (index: number | null) => void
  private readonly sizes: ResizeObserver
  private readonly scheme = matchMedia('(prefers-color-scheme: dark)')
  private plot: uPlot | null = null
  private content: PlotContent | null = null

  constructor(place: HTMLElement, onPoint: (index: number | null) => void) {
    this.place = place
    this.onPoint = onPoint
    this.sizes = new ResizeObserver(() => this.fit())
    this.sizes.observe(place)
    this.scheme.addEventListener('change', this.repaint)
  }

  /** Shows these lines; other lines or another height make another plot. */
  show(content: PlotContent): void {
    const before = this.content
    this.content = content
    const { steps, lines, height, theme } = content
    if (!this.plot || !before || lookOf(before) !== lookOf(content)) {
      this.plot?.destroy()
      this.plot = new uPlot(
        plotOptions({
          lines,
          height,
          place: this.place,
          format: (value) => (this.content ?? content).format(value),
          onPoint: this.onPoint,
        }),
        dataOf(steps, lines),
        this.place,
      )
      return
    }
    if (before.steps !== steps || before.lines !== lines) this.plot.setData(dataOf(steps, lines))
    else if (before.theme !== theme) this.repaint()
  }

  destroy(): void {
    this.scheme.removeEventListener('change', this.repaint)
    this.sizes.disconnect()
    this.plot?.destroy()
    this.plot = null
  }

  private readonly repaint = (): void => this.plot?.redraw(false, true)

  private fit(): void {
    const width = this.place.clientWidth
    if (this.plot && this.content && width > 0) this.plot.setSize({ width, height: this.content.height })
  }
}

function dataOf(steps: readonly number[], lines: readonly ChartLine[]): uPlot.AlignedData {
  return [[...steps], ...lines.map(({ values }) => [...values])]
}

/** What decides how a plot is made. */
function lookOf({ lines, height }: PlotContent): string {
  return JSON.stringify([height, lines.map(({ name, look }) => [name, look])])
}

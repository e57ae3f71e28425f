/** The cases there are, in the order of running. */
export const CASES = [
  'load',
  'decode',
  'prefill-32',
  'prefill-256',
  'prefill-1024',
  'lora-overhead',
  'role-switch',
  'hypernetwork',
  'guidance',
  'together',
  'train',
  'cold-start',
] as const

/** The cases of the fallback, which `--engine ort` runs instead. */
const FALLBACK_CASES = [
  'fallback-decode',
  'fallback-prefill-64',
  'fallback-roles',
  'fallback-guidance',
] as const
export type FallbackCase = (typeof FALLBACK_CASES)[number]
export type BenchCase = (typeof CASES)[number] | FallbackCase

/** The ratio that each case has to reach. */
export const FLOORS: Readonly<Record<BenchCase, number>> = {
  load: 1,
  decode: 1.3,
  'prefill-32': 1,
  'prefill-256': 1,
  'prefill-1024': 1,
  'lora-overhead': 0.95,
  // Switching may take one token's time, the hyper-network two, a cold start 0.7 of the rival's.
  'role-switch': 1,
  hypernetwork: 0.5,
  // A token that keeps to the question may take 1.3 times as long.
  guidance: 0.77,
  // Eight answers at once may take 2.5 times as long as one.
  together: 0.4,
  train: 0.3,
  'cold-start': 1.43,
  'fallback-decode': 3.5,
  'fallback-prefill-64': 2,
  'fallback-roles': 0.8,
  'fallback-guidance': 0.5,
}

export type Unit = 'tokens/s' | 'ms'

/** One line of the report. `ratio` is how many times as good ours is, whatever the unit: `ratio ≥ floor` is the goal. */
export interface BenchRow {
  readonly case: BenchCase
  readonly model: string
  readonly type: string
  /** null where the case could not run; `note` says why. */
  readonly ours: number | null
  readonly rival: number | null
  readonly ratio: number | null
  /** Where ratios were taken round by round: the half of them around the median, which then is `ratio`. */
  readonly ratioLow?: number
  readonly ratioHigh?: number
  readonly unit: Unit
  readonly floor: number
  readonly rivalName: string
  readonly note?: string
  /** Of our logits against the rival's, before anything was timed. */
  readonly nmse?: number
  readonly rounds?: number
  readonly dispatchesPerToken?: number
  readonly firstTokenMsCold?: number
  readonly firstTokenMsWarm?: number
  readonly rivalFirstTokenMsCold?: number
  readonly rivalFirstTokenMsWarm?: number
  /** Leading greedy tokens that both sides agree on, of those generated. */
  readonly sameTokens?: string
  /** A role played for the first time: its matrices are generated now. */
  readonly coldMs?: number
  /** Of the weights, in their files. */
  readonly weightBytes?: number
  readonly tokensPerSecond?: number
  readonly rivalTokensPerSecond?: number
  /** The most that JavaScript's memory grew by. */
  readonly scriptBytes?: number
  /** The most that there was on the GPU with the whole of the cache. */
  readonly graphicsBytes?: number
  /** The most that training had on the GPU beside the weights. */
  readonly trainingBytes?: number
  /** What there was on the GPU over what the page's formula says. */
  readonly bytesOverFormula?: number
  /** A later start, when the driver has the compiled shaders on disk. */
  readonly oursWithShaderCache?: number
  readonly rivalWithShaderCache?: number
}

/** What a case measured; the rest of its row follows from it. */
export type Measured = Partial<Omit<BenchRow, 'case' | 'model' | 'type' | 'floor'>> &
  Pick<BenchRow, 'unit' | 'rivalName'>

/** Four significant digits: more would only be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

/** How many times as good ours is: more tokens a second, or fewer milliseconds. */
export function ratioOf(ours: number, rival: number, unit: Unit): number {
  return unit === 'ms' ? rival / ours : ours / rival
}

/** Completes what a case measured to its row. */
export function rowOf(
  name: BenchCase,
  about: { readonly model: string; readonly type: string },
  { ours = null, rival = null, ratio = null, unit, rivalName, ...more }: Measured,
): BenchRow {
  const known = ratio ?? (ours === null || rival === null ? null : ratioOf(ours, rival, unit))
  const numbers = Object.entries(more).map(([key, value]) => [
    key,
    typeof value === 'number' ? rounded(value) : value,
  ])
  return {
    case: name,
    ...about,
    ours: ours === null ? null : rounded(ours),
    rival: rival === null ? null : rounded(rival),
    ratio: known === null ? null : rounded(known),
    unit,
    floor: FLOORS[name],
    rivalName,
    ...Object.fromEntries(numbers),
  }
}

function shown(value: number | null): string {
  return value === null ? '–' : String(value)
}

/** The rows as a table for people, notes below it. */
export function formatTable(device: string, rows: readonly BenchRow[]): string {
  const head = ['case', 'ours', 'rival', 'unit', 'ratio', 'goal', 'rival is']
  const cells = rows.map((row) => [
    row.case,
    shown(row.ours),
    shown(row.rival),
    row.unit,
    shown(row.ratio),
    `≥ ${row.floor}`,
    row.rivalName,
  ])
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)),
  )
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const notes = rows.flatMap((row) => [
    ...(row.note === undefined ? [] : [`${row.case}: ${row.note}`]),
    ...(row.ratioLow === undefined || row.ratioHigh === undefined
      ? []
      : [`${row.case}: half of ${row.rounds} rounds have a ratio from ${row.ratioLow} to ${row.ratioHigh}`]),
  ])
  const [first] = rows
  return [
    first ? `${first.model}, ${first.type}, on ${device}` : device,
    '',
    line(head),
    ...cells.map(line),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
  ].join('\n')
}

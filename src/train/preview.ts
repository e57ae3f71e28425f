import type { DatasetFormat, DatasetReading, RejectedRow } from '../formats/dataset/reading.ts'
import { encodeRow } from './rows.ts'
import type { RowCodec } from './rows.ts'
import type { SplitDialogue } from './split.ts'

/** How many dialogues have a number of tokens from `from` to below `to`. */
export interface LengthBin {
  readonly from: number
  readonly to: number
  readonly count: number
}

export interface RolePreview {
  readonly role: string
  readonly train: number
  readonly test: number
  readonly replies: number
}

/** What a data set will be in training, for a person to look at before it begins. */
export interface DatasetPreview {
  readonly format: DatasetFormat
  readonly dialogues: number
  readonly roles: readonly RolePreview[]
  readonly tokens: {
    readonly maxTokens: number
    /** Dialogues that were measured: all, or evenly spread ones where there are very many. */
    readonly measured: number
    readonly median: number
    readonly longest: number
    readonly histogram: readonly LengthBin[]
  }
  /** Of those measured: dialogues longer than `maxTokens`, and what of them goes. */
  readonly cut: { readonly dialogues: number; readonly turns: number; readonly tokens: number }
  /** Rows of the file, and dialogues of which no reply fits. */
  readonly rejected: readonly RejectedRow[]
  readonly droppedSystemTurns: number
}

export interface PreviewOptions {
  readonly codec: RowCodec
  readonly maxTokens: number
  /** A role's line; null for none. */
  readonly systemOf: (role: string) => string | null
  /** How many dialogues are measured in tokens at most. */
  readonly mostMeasured?: number
}

const BINS = 16
const MOST_MEASURED = 4000

/** Counts and measures a data set as training will see it; `dialogues` are those of `reading`, split. */
export function previewDataset(
  reading: Omit<DatasetReading, 'dialogues'>,
  dialogues: readonly SplitDialogue[],
  options: PreviewOptions,
): DatasetPreview {
  const { codec, maxTokens, systemOf, mostMeasured = MOST_MEASURED } = options
  const stride = Math.max(1, Math.ceil(dialogues.length / mostMeasured))
  const lengths: number[] = []
  const tooTight: RejectedRow[] = []
  const cut = { dialogues: 0, turns: 0, tokens: 0 }
  for (let index = 0; index < dialogues.length; index += stride) {
    const dialogue = dialogues[index]
    if (!dialogue) break
    const system = systemOf(dialogue.role)
    const whole = encodeRow(codec, dialogue, system, Infinity)
    if ('reason' in whole) {
      tooTight.push({ line: dialogue.line, reason: whole.reason })
      continue
    }
    lengths.push(whole.ids.length)
    if (whole.ids.length <= maxTokens) continue
    const row = encodeRow(codec, dialogue, system, maxTokens)
    if ('reason' in row) {
      tooTight.push({ line: dialogue.line, reason: row.reason })
      continue
    }
    cut.dialogues++
    cut.turns += row.cut.turns
    cut.tokens += row.cut.tokens
  }
  lengths.sort((a, b) => a - b)
  return {
    format: reading.format,
    dialogues: dialogues.length,
    roles: countRoles(dialogues),
    tokens: {
      maxTokens,
      measured: lengths.length,
      median: lengths[lengths.length >> 1] ?? 0,
      longest: lengths.at(-1) ?? 0,
      histogram: histogramOf(lengths, maxTokens),
    },
    cut,
    rejected: [...reading.rejected, ...tooTight].toSorted((a, b) => a.line - b.line),
    droppedSystemTurns: reading.droppedSystemTurns,
  }
}

function countRoles(dialogues: readonly SplitDialogue[]): RolePreview[] {
  const byRole = new Map<string, { role: string; train: number; test: number; replies: number }>()
  for (const { role, split, turns } of dialogues) {
    const counts = byRole.get(role) ?? { role, train: 0, test: 0, replies: 0 }
    counts[split]++
    counts.replies += turns.filter(({ speaker }) => speaker === 'role').length
    byRole.set(role, counts)
  }
  return [...byRole.values()]
}

/** Sixteen bins up to `maxTokens`, and one for all that is longer. */
function histogramOf(lengths: readonly number[], maxTokens: number): LengthBin[] {
  const width = Math.ceil((maxTokens + 1) / BINS)
  const longest = lengths.at(-1) ?? 0
  const bins = Array.from({ length: BINS }, (_, bin) => {
    return { from: bin * width, to: Math.min((bin + 1) * width, maxTokens + 1), count: 0 }
  }).filter(({ from, to }) => from < to)
  if (longest > maxTokens) bins.push({ from: maxTokens + 1, to: longest + 1, count: 0 })
  for (const length of lengths) {
    const bin = bins[Math.min(Math.floor(length / width), bins.length - 1)]
    const own = length > maxTokens ? bins.at(-1) : bin
    if (own) own.count++
  }
  return bins
}

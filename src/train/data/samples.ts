import { countsAsReply } from '../../core/dialogue.ts'
import type { SplitDialogue } from '../../core/dialogue.ts'
import type { TextCodec } from '../../model/chatModel.ts'
import { spreadOver } from './batches.ts'
import type { TokenRow } from './rows.ts'

/** A stretch of a row: what is learnt, what stands there for it, or a token that steers the model. */
export interface SamplePart {
  readonly text: string
  readonly isLearnt: boolean
  readonly isControl: boolean
}

/** A row as it will be learnt. */
export interface Sample {
  readonly role: string
  readonly split: SplitDialogue['split']
  /** Where it begins in its file. */
  readonly line?: number
  readonly file?: string
  /** Null where no tokenizer says. */
  readonly tokens: number | null
  readonly cut: TokenRow['cut']
  readonly parts: readonly SamplePart[]
}

/** A row, and the dialogue that it is of. */
export interface EncodedDialogue {
  readonly dialogue: SplitDialogue
  readonly row: TokenRow
}

/** So many rows are shown of a role. */
const A_HANDFUL = 3

/** The stretches of a row, token by token. */
function partsOf({ tokenizer }: TextCodec, { ids, isReply }: TokenRow): readonly SamplePart[] {
  const parts: SamplePart[] = []
  const stream = tokenizer.stream()
  const append = (part: SamplePart): void => {
    const last = parts.at(-1)
    const isSame = last?.isLearnt === part.isLearnt && last.isControl === part.isControl
    if (isSame) parts[parts.length - 1] = { ...part, text: last.text + part.text }
    else if (part.text !== '') parts.push(part)
  }
  ids.forEach((id, at) => {
    const isControl = tokenizer.addedIds.has(id)
    append({ text: stream.push(id), isLearnt: isReply[at] ?? false, isControl })
  })
  append({ text: stream.end(), isLearnt: isReply.at(-1) ?? false, isControl: false })
  return parts
}

/** A handful of each role's, those that are to be learnt before those that are held out. */
function handful<Entry>(entries: readonly Entry[], of: (entry: Entry) => SplitDialogue): readonly Entry[] {
  const byRole = new Map<string, Entry[]>()
  for (const entry of entries) {
    const { role } = of(entry)
    const own = byRole.get(role)
    if (own) own.push(entry)
    else byRole.set(role, [entry])
  }
  return [...byRole.values()].flatMap((own) => {
    const learnt = own.filter((entry) => of(entry).split === 'train')
    return spreadOver(learnt.length > 0 ? learnt : own, A_HANDFUL)
  })
}

function sampleOf(
  { role, split, line, file }: SplitDialogue,
  facts: Pick<Sample, 'tokens' | 'cut' | 'parts'>,
): Sample {
  const place = { ...(line !== undefined && { line }), ...(file !== undefined && { file }) }
  return { role, split, ...place, ...facts }
}

/** A handful of each role's rows as they will be learnt. */
export function sampleRows(codec: TextCodec, rows: readonly EncodedDialogue[]): readonly Sample[] {
  return handful(rows, ({ dialogue }) => dialogue).map(({ dialogue, row }) =>
    sampleOf(dialogue, { tokens: row.ids.length, cut: row.cut, parts: partsOf(codec, row) }),
  )
}

/** A handful of each role's dialogues, where there is no model to say how it reads them. */
export function sampleTurns(dialogues: readonly SplitDialogue[]): readonly Sample[] {
  return handful(dialogues, (dialogue) => dialogue).map((dialogue) => {
    const parts = dialogue.turns.map((turn): SamplePart => {
      return { text: `${turn.text}\n`, isLearnt: countsAsReply(turn), isControl: false }
    })
    return sampleOf(dialogue, { tokens: null, cut: { turns: 0, tokens: 0 }, parts })
  })
}

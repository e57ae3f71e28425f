// Scope: session. The lines that a character is to be taught, and what the engine makes of them.
import { create } from 'zustand'

import { check, failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { decodeText } from '../../../src/core/text.ts'
import { exampleJson } from '../../../src/cast/cardTexts.ts'
import { arrivingMember } from '../../../src/cast/member.ts'
import { askFileWorker } from '../../../src/engine/fileClient.ts'
import type { DatasetParams, DatasetReport } from '../../../src/engine/protocol.ts'
import { loadDraft, saveDraft } from '../../../src/storage/drafts.ts'
import { openFileWorker } from '../engine/workers.ts'
import { connectedEngine, useEngine } from '../engine/engine.ts'
import { notify } from '../page/notices.ts'
import { siteUrl } from '../page/site.ts'
import { READING } from './options.ts'

export type Columns = NonNullable<DatasetParams['columns']>

interface LinesState {
  readonly text: string
  readonly fileName: string
  /** What should be told of how the file was read. */
  readonly warning: string | null
  /** Who speaks where the lines do not say. */
  readonly roleName: string
  readonly columns: Columns | null
  readonly maxTokens: number
  readonly seed: number
  /** The line before every chat by the plan; it takes tokens of every dialogue. */
  readonly system: string | null
  readonly report: DatasetReport | null
  readonly isReading: boolean
  readonly failure: Failure | null
  /** Whether the visitor wrote any of it: then nothing takes its place unasked. */
  readonly isOwn: boolean
  /** What a file holds that is to take the place of what the visitor wrote, until they say so. */
  readonly offered: OpenedLines | null
}

/** Lines as a file holds them, read already. */
export interface OpenedLines {
  readonly text: string
  readonly fileName: string
  readonly warning: string | null
}

const PASTED = 'the lines'
/** A table is told by its name where its header does not tell. */
const PASTED_TABLE = 'the lines.csv'

const initial: LinesState = {
  text: '',
  fileName: PASTED,
  warning: null,
  roleName: '',
  columns: null,
  ...READING,
  system: null,
  report: null,
  isReading: false,
  failure: null,
  isOwn: false,
  offered: null,
}

export const useLines = create<LinesState>()(() => initial)

/** How long the writing must rest before it is read. */
const SETTLE_MS = 250
/** No honest card takes longer to read, on slow machines either. */
const LIMIT_MS = 30_000
/** The longest text that is kept as a draft; a longer one came from a file, which is still there. */
const DRAFT_LENGTH = 200_000
const DRAFT = 'teach'

let timer: ReturnType<typeof setTimeout> | undefined
/** Counts readings: one that was overtaken by a later one is dropped. */
let reading = 0
/** Counts files that were opened, likewise. */
let opening = 0

/** Takes up what was written before a reload, and measures the lines anew once a tokenizer is there. */
export function watchLines(): void {
  const draft = loadDraft(DRAFT)
  if (draft) useLines.setState({ text: draft, isOwn: true })
  useEngine.subscribe((state, before) => {
    if (state.phase !== before.phase && state.phase !== 'failed') schedule(0)
  })
}

/** Takes what is written or pasted. */
export function writeLines(text: string): void {
  const { fileName, columns } = useLines.getState()
  const name = isTable(text) ? PASTED_TABLE : PASTED
  // The columns of a table stay mapped while its rows are written on.
  const kept = name === fileName ? columns : null
  useLines.setState({ text, fileName: name, columns: kept, warning: null, isOwn: text.trim() !== '' })
  keepDraft(text)
  schedule(SETTLE_MS)
}

/** Whether a pasted text begins like a table: several cells in the first row, nobody named before a colon. */
function isTable(text: string): boolean {
  const [first = '', second = ''] = text.trimStart().split('\n')
  return (
    second !== '' && !/^[[{]|:\s/.test(first) && /[^,;\t]+[,;\t][^,;\t]+/.test(first) && /[,;\t]/.test(second)
  )
}

/**
 * Takes a file's content: text, or the example dialogues of a card or another program's character. What cannot be learnt
 * changes nothing; what the visitor wrote stays until they have said that this is to take its place.
 */
export async function openLines(file: File): Promise<void> {
  const turn = ++opening
  // What was written is read first, else its report would take the place of what is said of the file.
  if (timer !== undefined) await readLines()
  useLines.setState({ isReading: true })
  try {
    const opened = await readFile(file)
    // It is read as it will be learnt before anything gives its place up.
    await report({ ...useLines.getState(), ...opened, columns: null })
    // Something else was put in its place meanwhile.
    if (turn === opening) await offer(opened)
  } catch (thrown) {
    if (turn !== opening) return
    useLines.setState({ failure: failureOf(thrown, 'format-invalid'), isReading: false })
  }
}

/** Puts lines where the others are, or asks before it does where the visitor wrote those. */
async function offer(opened: OpenedLines): Promise<void> {
  const { text, isOwn } = useLines.getState()
  const isAsked = isOwn && text.trim() !== '' && text !== opened.text
  useLines.setState({ offered: isAsked ? opened : null, isReading: false, failure: null })
  if (!isAsked) await replaceLines(opened)
}

/** Lets what a file holds take the place of what was written, as was asked; this can be taken back. */
export async function takeOffered(): Promise<void> {
  const { offered } = useLines.getState()
  if (offered) await replaceLines(offered)
}

/** Leaves what was written where it is. */
export function leaveOffered(): void {
  useLines.setState({ offered: null })
}

async function replaceLines({ text, fileName, warning }: OpenedLines): Promise<void> {
  const before = useLines.getState()
  useLines.setState({ text, fileName, warning, columns: null, isOwn: false, offered: null })
  keepDraft(text)
  if (before.text.trim() !== '' && before.text !== text) {
    notify(`${fileName} is in the place of the lines before.`, () => restoreLines(before))
  }
  await readLines()
}

async function restoreLines({
  text,
  fileName,
  warning,
  roleName,
  columns,
  isOwn,
}: LinesState): Promise<void> {
  useLines.setState({ text, fileName, warning, roleName, columns, isOwn, offered: null })
  keepDraft(text)
  await readLines()
}

/** No card is larger; what is, is text alone. */
const MOST_CARD_BYTES = 64 * 2 ** 20

async function readFile(file: File): Promise<OpenedLines> {
  const cards = file.size <= MOST_CARD_BYTES ? await cardLines(file) : null
  if (cards !== null) return { text: cards, fileName: file.name, warning: null }
  const { text, warning } = decodeText(new Uint8Array(await file.arrayBuffer()), file.name)
  return { text, fileName: file.name, warning }
}

/**
 * A card for each character of a file, as JSON that a data set is read from; null for a file that is lines or a chat. It is
 * read in a worker of its own.
 */
async function cardLines(file: File): Promise<string | null> {
  const files = [{ path: file.name, file }]
  const found = await askFileWorker(
    openFileWorker,
    'arrive',
    { files, backbone: null },
    { limitMs: LIMIT_MS },
  )
  const [refusal] = found.refusals
  if (refusal) throw new HycoraError(refusal.code, refusal.message)
  if (found.arrivals.some(({ kind }) => kind === 'lines' || kind === 'chat')) return null
  const examples = found.arrivals.flatMap((arrival): readonly (string | null)[] => {
    if (arrival.kind === 'card') return [exampleJson(arrival.card)]
    if (arrival.kind !== 'pack') return []
    return arrival.roles.map((role) => {
      const { card } = arrivingMember(role, arrival.roles)
      return card && exampleJson(card)
    })
  })
  check(examples.length > 0, 'format-unsupported', () => `${file.name} holds no character card`)
  const said = examples.filter((one) => one !== null)
  check(said.length > 0, 'format-unsupported', () => {
    return `${file.name} holds a character, but no example dialogue that could be learnt`
  })
  return said.join('\n')
}

/** Takes the lines that come with the page. */
export async function openExample(path: string): Promise<void> {
  try {
    const response = await fetch(siteUrl(path), { cache: 'no-cache' })
    if (!response.ok)
      throw new HycoraError(
        'download-failed',
        `${path}: the server answered ${response.status}, expected 200`,
      )
    const text = await response.text()
    useLines.setState({ roleName: '' })
    await offer({ text, fileName: path.split('/').at(-1) ?? path, warning: null })
  } catch (thrown) {
    fail(failureOf(thrown, 'download-failed'))
  }
}

/** Says who speaks where the lines do not. */
export function nameRole(roleName: string): void {
  useLines.setState({ roleName })
  schedule(SETTLE_MS)
}

/** Says which columns of a table hold what. */
export function mapColumns(columns: Columns | null): void {
  useLines.setState({ columns })
  schedule(0)
}

/** Measures with another longest dialogue or another line before every chat, or splits with another seed. */
export function measureLines(options: Partial<Pick<LinesState, 'maxTokens' | 'seed' | 'system'>>): void {
  useLines.setState(options)
  schedule(SETTLE_MS)
}

/** Puts the lines away, and offers to take that back. */
export function clearLines(): void {
  const before = useLines.getState()
  clearTimeout(timer)
  reading++
  opening++
  useLines.setState(initial, true)
  saveDraft(DRAFT, '')
  if (before.text.trim() !== '') notify('The lines are put away.', () => restoreLines(before))
}

function keepDraft(text: string): void {
  saveDraft(DRAFT, text.length <= DRAFT_LENGTH ? text : '')
}

function schedule(delayMs: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => void readLines(), delayMs)
}

/** Has the lines read and counted; what is wrong with them is told in the state. */
export async function readLines(): Promise<void> {
  clearTimeout(timer)
  timer = undefined
  const lines = useLines.getState()
  if (lines.text.trim() === '' || !connectedEngine()) {
    useLines.setState({ report: null, failure: null, isReading: false })
    return
  }
  const turn = ++reading
  useLines.setState({ isReading: true })
  try {
    const found = await report(lines)
    if (turn === reading) useLines.setState({ report: found, failure: null, isReading: false })
  } catch (thrown) {
    if (turn === reading) fail(failureOf(thrown, 'format-invalid'))
  }
}

/** What the engine makes of lines; null where there is none to ask. @throws HycoraError `format-invalid`. */
async function report({
  text,
  fileName,
  roleName,
  columns,
  maxTokens,
  seed,
  system,
}: LinesState): Promise<DatasetReport | null> {
  const engine = connectedEngine()
  if (!engine) return null
  return engine.request('dataset', {
    text,
    fileName,
    roleName: roleName.trim() || null,
    columns,
    maxTokens,
    seed,
    system,
  })
}

function fail(failure: Failure): void {
  useLines.setState({ report: null, failure, isReading: false })
}

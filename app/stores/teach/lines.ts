// Scope: session. The lines that a character is to be taught, and what the engine makes of them.
import { create } from 'zustand'

import type { ArrivingFile } from '../../../src/exchange/arrival.ts'
import type { DatasetFile } from '../../../src/formats/datasets.ts'
import { dataIn } from '../../../src/core/dataFolder.ts'
import { failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { askFileWorker } from '../../../src/engine/fileClient.ts'
import { expectFew } from '../../../src/core/fewFiles.ts'
import type { DatasetParams, DatasetReport } from '../../../src/engine/protocol.ts'
import { loadDraft, saveDraft } from '../../../src/storage/drafts.ts'
import { openFileWorker } from '../engine/workers.ts'
import { connectedEngine, useEngine } from '../engine/engine.ts'
import { notify } from '../page/notices.ts'
import { siteUrl } from '../page/site.ts'
import { READING } from './options.ts'
import { storeText } from '../../words/store.ts'
import { listNames } from '../../words/names.ts'

export type Columns = NonNullable<DatasetParams['columns']>

interface LinesState {
  /** What was written, or the files that were opened; at least one. */
  readonly files: readonly [DatasetFile, ...DatasetFile[]]
  /** What should be told of how the files were read, in sentences. */
  readonly warnings: readonly string[]
  /** Files of a folder that are no data. */
  readonly left: readonly string[]
  /** Who speaks where the lines do not say. */
  readonly roleName: string
  readonly columns: Columns | null
  readonly maxTokens: number
  readonly seed: number
  /** The line before every chat by the plan; it takes tokens of every dialogue. */
  readonly system: string | null
  readonly report: DatasetReport | null
  /** Whether files are being opened. */
  readonly isOpening: boolean
  readonly failure: Failure | null
  /** Whether the visitor wrote any of it: then nothing takes its place unasked. */
  readonly isOwn: boolean
  /** What files hold that is to take the place of what the visitor wrote, until they say so. */
  readonly offered: OpenedLines | null
}

/** Lines as files hold them, read already. */
type OpenedLines = Pick<LinesState, 'files' | 'warnings' | 'left'>

const PASTED = 'the lines'
/** A table is told by its name where its header does not tell. */
const PASTED_TABLE = 'the lines.csv'

const initial: LinesState = {
  files: [{ name: PASTED, text: '' }],
  warnings: [],
  left: [],
  roleName: '',
  columns: null,
  ...READING,
  system: null,
  report: null,
  isOpening: false,
  failure: null,
  isOwn: false,
  offered: null,
}

export const useLines = create<LinesState>()(() => initial)

/** How long the writing must rest before it is read. */
const SETTLE_MS = 250
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
  if (draft) useLines.setState({ files: [{ name: PASTED, text: draft }], isOwn: true })
  useEngine.subscribe((state, before) => {
    if (state.phase !== before.phase && state.phase !== 'failed') schedule(0)
  })
}

/** Takes what is written or pasted. */
export function writeLines(text: string): void {
  const { files, columns } = useLines.getState()
  const name = isTable(text) ? PASTED_TABLE : PASTED
  // The columns of a table stay mapped while its rows are written on.
  const kept = name === files[0].name ? columns : null
  const isOwn = text.trim() !== ''
  useLines.setState({ files: [{ name, text }], columns: kept, warnings: [], left: [], isOwn })
  keepDraft()
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
 * Takes what files hold: text, or the example dialogues of cards or other programs' characters. What cannot be learnt
 * changes nothing; what the visitor wrote stays until they have said that this is to take its place.
 */
export async function openLines(given: readonly ArrivingFile[]): Promise<void> {
  const turn = ++opening
  // What was written is read first, else its report would take the place of what is said of the file.
  if (timer !== undefined) await readLines()
  useLines.setState({ isOpening: true })
  try {
    const opened = await readFiles(given)
    // It is read as it will be learnt before anything gives its place up.
    await report({ ...useLines.getState(), ...opened, columns: null })
    // Something else was put in its place meanwhile.
    if (turn === opening) await offer(opened)
  } catch (thrown) {
    if (turn !== opening) return
    useLines.setState({ failure: failureOf(thrown, 'format-invalid'), isOpening: false })
  }
}

/** Puts lines where the others are, or asks before it does where the visitor wrote those. */
async function offer(opened: OpenedLines): Promise<void> {
  const { files, isOwn } = useLines.getState()
  const isAsked = isOwn && hasText(files) && textOf(files) !== textOf(opened.files)
  useLines.setState({ offered: isAsked ? opened : null, isOpening: false, failure: null })
  if (!isAsked) await replaceLines(opened)
}

function textOf(files: readonly DatasetFile[]): string {
  return files.map(({ text }) => text).join('\n')
}

function hasText(files: readonly DatasetFile[]): boolean {
  return files.some(({ text }) => text.trim() !== '')
}

/** What several files are called together. */
export function nameOfFiles(files: readonly DatasetFile[]): string {
  return listNames(files.map(({ name }) => name))
}

/** Lets what files hold take the place of what was written, as was asked; this can be taken back. */
export async function takeOffered(): Promise<void> {
  const { offered } = useLines.getState()
  if (offered) await replaceLines(offered)
}

/** Leaves what was written where it is. */
export function leaveOffered(): void {
  useLines.setState({ offered: null })
}

async function replaceLines({ files, warnings, left }: OpenedLines): Promise<void> {
  const before = useLines.getState()
  useLines.setState({ files, warnings, left, columns: null, isOwn: false, offered: null })
  keepDraft()
  if (hasText(before.files) && textOf(before.files) !== textOf(files)) {
    notify(storeText('lines.replaced', { names: nameOfFiles(files), files: files.length }), () =>
      restoreLines(before),
    )
  }
  await readLines()
}

async function restoreLines(before: LinesState): Promise<void> {
  const { files, warnings, left, roleName, columns, isOwn } = before
  useLines.setState({ files, warnings, left, roleName, columns, isOwn, offered: null })
  keepDraft()
  await readLines()
}

function isWithin({ path }: ArrivingFile): boolean {
  return path.includes('/')
}

/** Files as they were chosen, and of folders what is a data set. */
async function readFiles(given: readonly ArrivingFile[]): Promise<OpenedLines> {
  expectFew(given)
  const { taken, left } = dataIn(given.filter(isWithin).map(({ path }) => path))
  const byPath = new Map(given.map((file) => [file.path, file]))
  const within = taken.flatMap((path) => byPath.get(path) ?? [])
  const [first, ...others] = [...given.filter((file) => !isWithin(file)), ...within]
  if (!first) throw new HycoraError('format-unsupported', storeText('lines.noFile'))
  const read = [await readFile(first)] as const
  const more: Awaited<ReturnType<typeof readFile>>[] = []
  for (const file of others) more.push(await readFile(file))
  const warnings = [...read, ...more].flatMap(({ warning }) => (warning === null ? [] : [`${warning}.`]))
  return { files: [read[0].file, ...more.map(({ file }) => file)], warnings, left }
}

/** A file as lines; a worker of its own reads it. */
async function readFile(
  given: ArrivingFile,
): Promise<{ readonly file: DatasetFile; readonly warning: string | null }> {
  const { text, warning } = await askFileWorker(openFileWorker, 'lines', { given })
  return { file: { name: given.path, text }, warning }
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
    await takeLines(path.split('/').at(-1) ?? path, await response.text())
  } catch (thrown) {
    fail(failureOf(thrown, 'download-failed'))
  }
}

/** Takes lines that the page made itself, which say who speaks. */
export async function takeLines(name: string, text: string): Promise<void> {
  useLines.setState({ roleName: '' })
  await offer({ files: [{ name, text }], warnings: [], left: [] })
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
  if (hasText(before.files)) notify(storeText('lines.cleared'), () => restoreLines(before))
}

/** Several files are there still, as a long one is. */
function keepDraft(): void {
  const { files } = useLines.getState()
  const [{ text }, ...more] = files
  saveDraft(DRAFT, more.length === 0 && text.length <= DRAFT_LENGTH ? text : '')
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
  if (!hasText(lines.files) || !connectedEngine()) {
    useLines.setState({ report: null, failure: null })
    return
  }
  const turn = ++reading
  try {
    const found = await report(lines)
    if (turn === reading) useLines.setState({ report: found, failure: null })
  } catch (thrown) {
    if (turn === reading) fail(failureOf(thrown, 'format-invalid'))
  }
}

/** What the engine makes of lines; null where there is none to ask. @throws HycoraError `format-invalid`. */
async function report({
  files,
  roleName,
  columns,
  maxTokens,
  seed,
  system,
}: LinesState): Promise<DatasetReport | null> {
  const engine = connectedEngine()
  if (!engine) return null
  return engine.request('dataset', {
    files,
    roleName: roleName.trim() || null,
    columns,
    maxTokens,
    seed,
    system,
  })
}

function fail(failure: Failure): void {
  useLines.setState({ report: null, failure })
}

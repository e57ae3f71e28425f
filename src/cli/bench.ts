import { HycoraError, check } from '../core/errors.ts'
import type { Pack } from '../formats/pack.ts'
import { integerOption, parseArguments } from './arguments.ts'
import { benchCard } from './bench/card.ts'
import { coldStartCase, startCold } from './bench/coldStart.ts'
import { benchFallback } from './bench/fallback.ts'
import { decodeCase, prefillCase } from './bench/generationCases.ts'
import { CASES, formatTable } from './bench/report.ts'
import type { BenchCase, BenchRow } from './bench/report.ts'
import { guidanceCase, hypernetworkCase, overheadCase, switchCase } from './bench/roleCases.ts'
import { loadCase } from './bench/load.ts'
import { togetherCase } from './bench/together.ts'
import { openOpponents, openSubject } from './bench/subject.ts'
import type { Opponent, BenchSubject } from './bench/subject.ts'
import { trainCase } from './bench/trainCase.ts'
import { engineOf, openModel, openPack, openPackFor, packTrainedOn } from './engine.ts'
import type { OpenedModel } from './engine.ts'
import type { NodeDevice } from './gpu.ts'

type AgainstRival = (subject: BenchSubject, opponent: Opponent) => Promise<BenchRow>
type AgainstOurselves = (subject: BenchSubject) => Promise<BenchRow>

/** Cases that are measured against onnxruntime. */
const AGAINST_RIVAL: Partial<Record<BenchCase, AgainstRival>> = {
  decode: decodeCase,
  'prefill-32': (subject, opponent) => prefillCase(subject, opponent, 32),
  'prefill-256': (subject, opponent) => prefillCase(subject, opponent, 256),
  'prefill-1024': (subject, opponent) => prefillCase(subject, opponent, 1024),
  'cold-start': coldStartCase,
}

/** Cases that compare two things of our own. */
const AGAINST_OURSELVES: Partial<Record<BenchCase, AgainstOurselves>> = {
  'lora-overhead': overheadCase,
  'role-switch': switchCase,
  hypernetwork: hypernetworkCase,
  guidance: guidanceCase,
  together: togetherCase,
  train: trainCase,
}

function casesOf(text: string | undefined): readonly BenchCase[] {
  if (text === undefined) return CASES
  const wanted = text.split(',').map((name) => name.trim())
  const unknown = wanted.find((name) => !CASES.some((known) => known === name))
  check(unknown === undefined, 'usage', () => `there is no case "${unknown}"; there are ${CASES.join(', ')}`)
  return CASES.filter((name) => wanted.includes(name))
}

/** The pack that `--pack` names, else the shipped one for the backbone, else none. */
async function findPack(options: ReadonlyMap<string, string>, opened: OpenedModel): Promise<Pack | null> {
  const given = options.get('pack')
  if (given !== undefined) return openPackFor(given, opened)
  const shipped = await packTrainedOn(opened.model)
  return shipped === null ? null : openPack(shipped)
}

async function measure(subject: BenchSubject, cases: readonly BenchCase[]): Promise<BenchRow[]> {
  const opponents = cases.some((name) => AGAINST_RIVAL[name]) ? await openOpponents(subject) : []
  const rows: BenchRow[] = []
  for (const name of cases) {
    process.stderr.write(`measuring ${name}\n`)
    const againstRival = AGAINST_RIVAL[name]
    if (againstRival) for (const opponent of opponents) rows.push(await againstRival(subject, opponent))
    const againstOurselves = AGAINST_OURSELVES[name]
    if (againstOurselves) rows.push(await againstOurselves(subject))
  }
  for (const { rival } of opponents) await rival?.release()
  return rows
}

function starterOf(text: string): 'ours' | 'rival' {
  if (text === 'ours' || text === 'rival') return text
  throw new HycoraError('usage', `--cold-start is "${text}", expected ours or rival`)
}

/** `bench`: our speed beside onnxruntime's on the same adapter and model file, as ratios measured in one run. */
export async function bench(words: readonly string[]): Promise<void> {
  const { options } = parseArguments(words, {
    values: [
      'backbone',
      'model',
      'pack',
      'cases',
      'rounds',
      'tokens',
      'cold-start',
      'engine',
      'tune',
      'only',
      'models',
    ],
    flags: ['json', 'card', 'kernels', 'alone'],
  })
  if (options.has('card')) {
    await benchCard(options)
    return
  }
  const cases = casesOf(options.get('cases'))
  const rounds = integerOption(options, 'rounds', 5, { least: 1 })
  const tokens = integerOption(options, 'tokens', 32, { least: 1 })
  const named = new Map([['backbone', 'starter'], ...options])
  const coldStart = options.get('cold-start')
  if (coldStart !== undefined) {
    process.stdout.write(String(await startCold(starterOf(coldStart), named)))
    return
  }
  if (engineOf(options) === 'ort') {
    const opened = await openModel(named)
    const rows = await benchFallback(opened, await findPack(options, opened), { rounds, tokens })
    report(options, { device: 'WebAssembly', isSoftware: true }, rows)
    return
  }
  const { description, isSoftware, rows } = await benchKernels(options, named, { cases, rounds, tokens })
  report(options, { device: description, isSoftware }, rows)
}

/** The cases on our kernels: loading first, before anything else is there that takes memory. */
async function benchKernels(
  options: ReadonlyMap<string, string>,
  named: ReadonlyMap<string, string>,
  wanted: { readonly cases: readonly BenchCase[]; readonly rounds: number; readonly tokens: number },
): Promise<Pick<NodeDevice, 'description' | 'isSoftware'> & { readonly rows: readonly BenchRow[] }> {
  const { cases, rounds, tokens } = wanted
  const others = cases.filter((name) => name !== 'load')
  const loaded = others.length < cases.length ? await loadCase(named, tokens) : null
  if (loaded && others.length === 0) return { ...loaded, rows: [loaded.row] }
  const opened = await openModel(named)
  const pack = await findPack(options, opened)
  const subject = await openSubject(opened, pack, { rounds, tokens, tune: options.get('tune') })
  const rows = await measure(subject, others)
  return { ...subject.gpu, rows: loaded ? [loaded.row, ...rows] : rows }
}

function report(
  options: ReadonlyMap<string, string>,
  about: { readonly device: string; readonly isSoftware: boolean },
  rows: readonly BenchRow[],
): void {
  process.stdout.write(
    options.has('json')
      ? `${JSON.stringify({ ...about, rows }, null, 2)}\n`
      : formatTable(about.device, rows),
  )
}

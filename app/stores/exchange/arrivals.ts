// Scope: session. What was dropped, chosen, pasted or followed, until it is brought in or put away.
import type {
  Arrival,
  ArrivingFile,
  CardArrival,
  LinkMissing,
  LoreArrival,
  PackArrival,
  Refusal,
} from '../../../src/exchange/arrival.ts'
import type { PackFile } from '../../../src/formats/packFacts.ts'
import { create } from 'zustand'

import { failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { askFileWorker } from '../../../src/engine/fileClient.ts'
import { keepStorage } from '../../../src/storage/persistence.ts'
import { exampleJson } from '../../../src/cast/cardTexts.ts'
import { isForAnotherModel } from '../../../src/cast/member.ts'
import { plainName } from '../../../src/cast/plainName.ts'
import { admitChat, admitGroup, chatsOf, groupOf } from './arrivedChats.ts'
import { packName, suggestedRoles } from './arrivedPack.ts'
import { restore } from './housekeeping.ts'
import { openFileWorker } from '../engine/workers.ts'
import { findMember, useCast } from '../company/cast.ts'
import { useChats } from '../chat/chats.ts'
import { addBook } from '../chat/inMind.ts'
import { laterPart } from '../page/laterPart.ts'
import { shippedPack, useEngine, whenReady } from '../engine/engine.ts'
import { changeCard, keepCard, keepPack, packFileOf, useGuests } from '../company/guests.ts'
import { openLines } from '../teach/lines.ts'
import { newId } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { goTo, readMeeting, routeHash } from '../page/route.ts'
import { storeText } from '../../words/store.ts'
import { listNames } from '../../words/names.ts'
import { sharedText } from '../../words/shared.ts'

/** How one arrival stands. */
export interface ArrivalEntry {
  readonly id: string
  readonly arrival: Arrival
  /** The roles of a pack that are to stand in the cast. */
  readonly roles: readonly string[]
  /** Of a lorebook: with whom or what it is to go. */
  readonly goal: LoreGoal | null
  /** Of the proof: how many of the roles have spoken. */
  readonly proof: { readonly done: number; readonly total: number } | null
  readonly failure: Failure | null
}

/** Whom a lorebook goes with: a chat, or a kept card in all of theirs; by its id. */
export interface LoreGoal {
  readonly kind: 'chat' | 'card'
  readonly id: string
}

interface ArrivalsState {
  /** `reading`: a worker looks at the files; `joining`: they are proved and kept. */
  readonly phase: 'none' | 'reading' | 'shown' | 'joining'
  readonly entries: readonly ArrivalEntry[]
  readonly refusals: readonly Refusal[]
  /** A link to somebody whose company is not here. */
  readonly missing: LinkMissing | null
}

const initial: ArrivalsState = { phase: 'none', entries: [], refusals: [], missing: null }

export const useArrivals = create<ArrivalsState>()(() => initial)

let controller: AbortController | undefined

/** Has files looked at, and shows what is in them; nothing of them is used yet. */
export async function receiveFiles(files: readonly ArrivingFile[]): Promise<void> {
  if (files.length === 0) return
  await read(
    async (signal) => {
      const { info } = useEngine.getState()
      const backbone = info && {
        name: info.name,
        architecture: info.architecture,
        fingerprint: info.fingerprint,
        layers: info.layers,
        hidden: info.hidden,
      }
      const found = await askFileWorker(openFileWorker, 'arrive', { files, backbone }, { signal })
      return { ...found, missing: null }
    },
    files[0]?.path ?? storeText('arrival.file'),
  )
}

/** Follows a link in the page's address, now and whenever one is opened. */
export function watchLinks(): void {
  window.addEventListener('hashchange', followAddress)
  followAddress()
}

function followAddress(): void {
  const text = readMeeting(location.hash)
  if (text === null) return
  // Going back must not open it again.
  history.replaceState(null, '', routeHash({ screen: 'cast' }))
  void receiveLink(text)
}

/** Follows a link to a role, once the company that came with the model is known. */
export async function receiveLink(text: string): Promise<void> {
  await read(async (signal) => {
    await whenReady(signal)
    const packs = await knownPacks()
    const found = await askFileWorker(openFileWorker, 'follow', { text, packs }, { signal })
    return found.kind === 'missing'
      ? { arrivals: [], refusals: [], missing: found }
      : { arrivals: [found], refusals: [], missing: null }
  }, storeText('arrival.link'))
}

async function knownPacks(): Promise<readonly PackFile[]> {
  const shipped = shippedPack()
  const kept: PackFile[] = []
  for (const { id, name } of useGuests.getState().packs) {
    // A damaged pack is no help, and no harm.
    const file = await packFileOf(id).catch(() => null)
    if (file) kept.push({ name, file })
  }
  return [...(shipped ? [shipped] : []), ...kept]
}

async function read(
  look: (signal: AbortSignal) => Promise<{
    readonly arrivals: readonly Arrival[]
    readonly refusals: readonly Refusal[]
    readonly missing: LinkMissing | null
  }>,
  fileName: string,
): Promise<void> {
  if (useArrivals.getState().phase === 'joining') return
  controller?.abort()
  controller = new AbortController()
  const { signal } = controller
  useArrivals.setState({ ...initial, phase: 'reading' }, true)
  try {
    const { arrivals, refusals, missing } = await look(signal)
    if (signal.aborted) return
    useArrivals.setState({ phase: 'shown', entries: arrivals.map(entryOf), refusals, missing })
  } catch (thrown) {
    if (signal.aborted) return
    const refusal = { fileName, ...failureOf(thrown, 'format-invalid') }
    useArrivals.setState({ phase: 'shown', refusals: [refusal] })
  }
}

function entryOf(arrival: Arrival): ArrivalEntry {
  const goal = arrival.kind === 'lore' ? (loreGoals()[0]?.goal ?? null) : null
  return { id: newId(), arrival, roles: suggestedRoles(arrival), goal, proof: null, failure: null }
}

/** Chats that a lorebook is offered to. */
const LAST_CHATS = 5

/** Whom a lorebook may go with, in words: the chat on the screen first, then the last ones, then kept cards. */
export function loreGoals(): readonly { readonly goal: LoreGoal; readonly name: string }[] {
  const { summaries, open } = useChats.getState()
  const present = summaries.filter(({ deleted, id, started }) => !deleted && (started || id === open?.id))
  const own = present.filter(({ id }) => id === open?.id)
  const others = present.filter(({ id }) => id !== open?.id).slice(0, LAST_CHATS)
  const { members } = useCast.getState()
  return [
    ...[...own, ...others].map(({ id, key, title, character }) => ({
      goal: { kind: 'chat' as const, id },
      name: `${findMember(members, key)?.displayName ?? character ?? storeText('nobody')}: “${title}”`,
    })),
    ...useGuests.getState().cards.map(({ id, name }) => ({
      goal: { kind: 'card' as const, id },
      name: storeText('lore.inAllChats', { name: plainName(name) }),
    })),
  ]
}

/** Chooses whom a lorebook goes with. */
export function chooseGoal(entry: string, goal: LoreGoal): void {
  change(entry, () => ({ goal }))
}

/** Puts one thing of several away. */
export function leaveOut(entry: string): void {
  useArrivals.setState(({ entries }) => ({ entries: entries.filter(({ id }) => id !== entry) }))
}

/** Lets a role of a pack stand in the cast, or not. */
export function chooseRole(entry: string, role: string, isChosen: boolean): void {
  change(entry, ({ roles }) => ({
    roles: isChosen ? [...roles, role] : roles.filter((name) => name !== role),
  }))
}

/** Lets all roles of a pack stand in the cast, or none. */
export function chooseRoles(entry: string, roles: readonly string[]): void {
  change(entry, () => ({ roles }))
}

function change(id: string, changes: (entry: ArrivalEntry) => Partial<ArrivalEntry>): void {
  useArrivals.setState(({ entries }) => ({
    entries: entries.map((entry) => (entry.id === id ? { ...entry, ...changes(entry) } : entry)),
  }))
}

/** Closes the sheet; what was not brought in leaves no trace. */
export function putAway(): void {
  controller?.abort()
  useArrivals.setState(initial, true)
}

/** Brings in everything that is shown: each is proved and kept whole, or not at all. */
export async function bringIn(): Promise<void> {
  if (useArrivals.getState().phase !== 'shown') return
  controller = new AbortController()
  const { signal } = controller
  useArrivals.setState({ phase: 'joining' })
  const joined: string[] = []
  const { entries } = useArrivals.getState()
  // Whoever came is here before what was said with them.
  const inOrder = entries.toSorted((one, other) => Number(isTalk(one)) - Number(isTalk(other)))
  for (const { id, arrival, roles, goal } of inOrder) {
    if (arrival.kind === 'pack' && roles.length === 0) continue
    change(id, () => ({ failure: null }))
    try {
      joined.push(...(await bringInOne({ id, arrival, roles, goal, entries }, signal)))
      useArrivals.setState((now) => ({ entries: now.entries.filter((entry) => entry.id !== id) }))
    } catch (thrown) {
      const failure = failureOf(thrown, 'format-invalid')
      if (failure.code !== 'cancelled') change(id, () => ({ failure, proof: null }))
    }
    if (signal.aborted) return
  }
  // Kept data is worth asking the browser for; its answer is shown Backstage.
  keepStorage().catch(() => false)
  const isDone = useArrivals.getState().entries.every(({ failure }) => failure === null)
  useArrivals.setState(isDone ? initial : { phase: 'shown' })
  if (joined.length > 0) {
    notify(storeText('joined', { names: listNames(joined), joined: joined.length }))
    if (isDone && !entries.some(isTalk)) goTo({ screen: 'cast' })
  }
}

function isTalk({ arrival: { kind } }: ArrivalEntry): boolean {
  return kind === 'chat' || kind === 'group'
}

/** The names of those who joined the cast. */
async function bringInOne(
  {
    id,
    arrival,
    roles,
    goal,
    entries,
  }: Pick<ArrivalEntry, 'id' | 'arrival' | 'roles' | 'goal'> & { readonly entries: readonly ArrivalEntry[] },
  signal: AbortSignal,
): Promise<readonly string[]> {
  switch (arrival.kind) {
    case 'pack':
      await admit(id, arrival, roles, signal)
      return roles.map(plainName)
    case 'card':
      return [await admitCard(arrival)]
    case 'chat':
      await admitChat(arrival, groupOf(arrival, entries))
      return []
    case 'backup':
      await restore(arrival)
      return []
    case 'lines':
      await teachLines(arrival, entries)
      return []
    case 'lore':
      await admitLore(arrival, goal)
      return []
    case 'group':
      // It has come in with its chat.
      if (!chatsOf(arrival, entries)) await admitGroup(arrival)
      return []
    default:
      return arrival satisfies never
  }
}

/** Lets a lorebook go with a chat, or puts its entries into a kept card. @throws HycoraError `usage` where it goes with nobody. */
async function admitLore({ name, text, book, entries }: LoreArrival, goal: LoreGoal | null): Promise<void> {
  if (goal?.kind === 'chat') {
    await addBook(goal.id, { name: plainName(name), text })
    notify(storeText('lore.goes', { name: plainName(name) }))
    return
  }
  const card = useGuests.getState().cards.find(({ id }) => id === goal?.id)
  if (!card) throw new HycoraError('usage', storeText('lore.needs', { name }))
  const { cardWithBook } = await laterPart(() => import('../../../src/cast/cardLore.ts'))
  await changeCard({ ...card, card: cardWithBook(card.card, { name, book }) })
  notify(storeText('lore.entries', { name: plainName(card.name), entries }))
}

/** Takes all lines that came in to where they are learnt, with the first of them: each by itself would take the other's place. */
async function teachLines(arrival: Arrival, entries: readonly ArrivalEntry[]): Promise<void> {
  const all = entries.flatMap((entry) => (entry.arrival.kind === 'lines' ? [entry.arrival] : []))
  if (arrival !== all[0]) return
  await openLines(all.map(({ fileName: path, file }) => ({ path, file })))
  goTo({ screen: 'teach' })
}

async function admit(
  entry: string,
  arrival: PackArrival,
  roles: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const engine = await whenReady(signal)
  const { info, backbone } = useEngine.getState()
  if (isForAnotherModel(arrival.backbone, info)) {
    throw new HycoraError(
      'model-incompatible',
      storeText('pack.otherModel', {
        fileName: arrival.fileName,
        made: arrival.backbone.name || sharedText('anotherModel'),
        loaded: info?.name ?? '',
      }),
    )
  }
  const id = newId()
  const name = packName(arrival)
  change(entry, () => ({ proof: { done: 0, total: roles.length } }))
  await engine.request(
    'prove',
    { pack: { id, name, file: arrival.file }, roles },
    { onYield: (proof) => change(entry, () => ({ proof })), signal },
  )
  signal.throwIfAborted()
  // The same file brought in once more only lets more of its roles stand in the cast.
  const known = useGuests.getState().packs.find(({ sha256 }) => sha256 === arrival.sha256)
  if (known) {
    const cast = [...new Set([...known.cast, ...roles])]
    await keepPack({ ...known, cast, file: arrival.file })
    return
  }
  await keepPack({
    id,
    name,
    backboneId: backbone?.id ?? null,
    cast: roles,
    origin: { kind: 'brought', fileName: arrival.fileName },
    portraits: arrival.portraits,
    file: arrival.file,
  })
}

async function admitCard(arrival: CardArrival): Promise<string> {
  const { card, data, original, assets, portrait, fileName } = arrival
  const name = plainName(card.name)
  await keepCard({ name, card: data, original, assets, portrait, fileName })
  return name
}

/** Keeps a card, and takes its example dialogue to where it can be learnt. */
export async function teachCard(arrival: CardArrival): Promise<void> {
  const name = await admitCard(arrival)
  putAway()
  await teachExamples(name, exampleJson(arrival.card) ?? '')
}

/** Takes the example dialogue of a card, as `exampleJson` gives it, to where it can be learnt. */
export async function teachExamples(name: string, examples: string): Promise<void> {
  goTo({ screen: 'teach' })
  await openLines([{ path: `${name}.json`, file: new Blob([examples]) }])
}

// Scope: live. What came of the rehearsal: who it is, and what is done with them.
import type { PackFacts } from '../../../src/formats/packFacts.ts'
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { inspectPack } from '../../../src/storage/packLibrary.ts'
import { saveFile } from '../page/saveFile.ts'
import { findMember, useCast } from '../company/cast.ts'
import { meet } from '../chat/chats.ts'
import { guestKey } from '../../../src/cast/key.ts'
import { isWholeCast } from '../company/castPack.ts'
import { keepPack, useGuests } from '../company/guests.ts'
import { retryEngine } from '../engine/engine.ts'
import { notify } from '../page/notices.ts'
import { openShare } from './share.ts'
import { chosenResult, useTraining } from '../teach/training.ts'
import { storeText } from '../../words/store.ts'
import { sharedText } from '../../words/shared.ts'
import { listNames } from '../../words/names.ts'

interface FirstNightState {
  /** The pack that the facts and `kept` are about. */
  readonly pack: Blob | null
  readonly facts: PackFacts | null
  /** Its id in the library, once it is there. */
  readonly kept: string | null
  readonly isBusy: boolean
  readonly failure: Failure | null
}

const initial: FirstNightState = { pack: null, facts: null, kept: null, isBusy: false, failure: null }

export const useFirstNight = create<FirstNightState>()(() => initial)

/** Looks at each pack that a rehearsal comes to, from now on. */
export function watchFirstNight(): void {
  useTraining.subscribe(look)
  look()
}

function look(): void {
  const { result } = useTraining.getState()
  const pack = result ? chosenResult(result) : null
  if (pack !== useFirstNight.getState().pack) void inspect(pack)
}

async function inspect(pack: Blob | null): Promise<void> {
  useFirstNight.setState({ ...initial, pack }, true)
  if (!pack) return
  try {
    const facts = await inspectPack(storeText('night.result'), pack)
    const kept = useGuests.getState().packs.find(({ sha256 }) => sha256 === facts.sha256)?.id ?? null
    if (useFirstNight.getState().pack === pack) useFirstNight.setState({ facts, kept })
  } catch (thrown) {
    if (useFirstNight.getState().pack === pack) fail(thrown)
  }
}

/** The one that was taught, or the first of them. */
function taughtRole(): string {
  const { run } = useTraining.getState()
  return run?.trial.role ?? run?.roles[0] ?? sharedText('somebody')
}

/** The key of the one that was taught, once they are kept: a member of the cast has the one that it had. */
function taughtKey(): string | null {
  const { kept } = useFirstNight.getState()
  const { run } = useTraining.getState()
  const role = taughtRole()
  if (!kept || !run) return null
  const own = useCast.getState().members.find((member) => !member.guest && member.role === role)
  return isWholeCast(run.roles) && own ? own.key : guestKey(kept, role)
}

function nameOfPack(): string {
  return listNames(useTraining.getState().run?.roles ?? [])
}

/** Keeps what came of it in the library of this device. */
export async function keepResult(): Promise<void> {
  await work(async () => {
    const name = nameOfPack()
    if (await keep()) notify(storeText('pack.kept', { name }))
  })
}

/** Hands what came of it to the visitor as a file. */
export function saveResult(): void {
  const { pack } = useFirstNight.getState()
  if (pack) saveFile(`${nameOfPack()}.hycora.safetensors`, pack)
}

/** Opens the sheet from which the one that was taught is handed on, who is kept for it. */
export async function shareResult(): Promise<void> {
  await work(async () => {
    if (!(await keep())) return
    const member = findMember(useCast.getState().members, taughtKey())
    if (member) void openShare({ kind: 'member', member })
  })
}

/** Opens a chat with the one that was taught, who is kept for it. */
export async function talkToResult(): Promise<void> {
  await work(async () => {
    if (!(await keep())) return
    const key = taughtKey()
    if (key !== null) await meet(key)
  })
}

/** Puts the pack into the library, once; the same bytes are not kept twice. */
async function keep(): Promise<boolean> {
  const { pack, kept } = useFirstNight.getState()
  const { run } = useTraining.getState()
  if (!pack || !run) return false
  if (kept && useGuests.getState().packs.some(({ id }) => id === kept)) return true
  const isCast = isWholeCast(run.roles)
  const { id } = await keepPack({
    name: isCast ? storeText('pack.cast', { backbone: run.backbone.name }) : nameOfPack(),
    backboneId: run.backbone.id,
    // The cast takes the seats that it has already.
    cast: isCast ? [] : run.roles,
    origin: { kind: 'taught' },
    file: pack,
  })
  useFirstNight.setState({ kept: id })
  if (isCast) await retryEngine()
  return true
}

async function work(task: () => Promise<void>): Promise<void> {
  if (useFirstNight.getState().isBusy) return
  useFirstNight.setState({ isBusy: true, failure: null })
  try {
    await task()
  } catch (thrown) {
    fail(thrown)
  } finally {
    useFirstNight.setState({ isBusy: false })
  }
}

function fail(thrown: unknown): void {
  useFirstNight.setState({ failure: failureOf(thrown, 'storage-corrupt') })
}

/** Puts away the message about what went wrong. */
export function dismissFirstNightFailure(): void {
  useFirstNight.setState({ failure: null })
}

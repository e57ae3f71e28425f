// Scope: session. A blend in the making: whose shares it has, and what it said.
import type { BlendPart } from '../../src/formats/packRoles.ts'
import type { PackRef } from '../../src/formats/packFacts.ts'
import type { Turn } from '../../src/core/dialogue.ts'
import { create } from 'zustand'

import { asHycoraError } from '../../src/core/errors.ts'
import { askFileWorker } from '../../src/engine/fileClient.ts'
import { faceVector, guestKey, isForAnotherModel } from '../cast/castMember.ts'
import type { CastMember } from '../cast/castMember.ts'
import { openFileWorker } from '../workers.ts'
import { findMember, useCast } from './cast.ts'
import { meetRole } from './chats.ts'
import { shippedPack, useEngine, whenReady } from './engine.ts'
import type { Failure } from './engine.ts'
import { keepPack, packRefOf, useGuests } from './guests.ts'
import { samplingOf } from './moods.ts'
import { newId, newSeed } from './newId.ts'
import { useSettings } from './settings.ts'

/** A share of somebody of the cast, in percent. */
export interface Share {
  /** As chats store them. */
  readonly name: string
  readonly percent: number
}

/** Something that was asked, and what the blend of that moment said. */
export interface Exchange {
  readonly id: string
  readonly question: string
  readonly answer: string
  /** Who answered, in words. */
  readonly mix: string
}

interface BlendState {
  readonly shares: readonly Share[]
  readonly exchanges: readonly Exchange[]
  readonly isAnswering: boolean
  readonly isKeeping: boolean
  readonly failure: Failure | null
}

const initial: BlendState = {
  shares: [],
  exchanges: [],
  isAnswering: false,
  isKeeping: false,
  failure: null,
}

export const useBlend = create<BlendState>()(() => initial)

const LIMIT_MS = 120_000

let controller: AbortController | undefined

/** Those who can be mixed with each other: trained on the loaded model, of one pack with whoever is in it already. */
export function mixable(
  members: readonly CastMember[],
  shares: readonly Share[],
  info: { readonly fingerprint: string } | null,
): readonly CastMember[] {
  const first = members.find(({ name }) => name === shares[0]?.name)
  return members.filter(
    ({ isTrained, role, guest }) =>
      isTrained === true &&
      role !== null &&
      guest?.origin.kind !== 'blended' &&
      !isForAnotherModel(guest?.backbone, info) &&
      (!first || first.guest?.id === guest?.id),
  )
}

/** Adds somebody; the first two have half each. */
export function addShare(name: string): void {
  useBlend.setState(({ shares }) => {
    if (shares.some((share) => share.name === name)) return {}
    const added = [...shares, { name, percent: shares.length < 2 ? 50 : 0 }]
    return { shares: shares.length === 0 ? [{ name, percent: 100 }] : halved(added) }
  })
}

function halved(shares: readonly Share[]): readonly Share[] {
  const isUntouched = shares.length === 2 && shares[0]?.percent === 100
  return isUntouched ? shares.map((share) => ({ ...share, percent: 50 })) : shares
}

/** Changes how much of somebody is in it. */
export function setShare(name: string, percent: number): void {
  useBlend.setState(({ shares }) => ({
    shares: shares.map((share) => (share.name === name ? { ...share, percent } : share)),
  }))
}

/** Takes somebody out. */
export function removeShare(name: string): void {
  useBlend.setState(({ shares }) => ({ shares: shares.filter((share) => share.name !== name) }))
}

/** Begins anew. */
export function clearBlend(): void {
  controller?.abort()
  useBlend.setState(initial, true)
}

/** "60 % Sherlock Holmes, 40 % Alice". */
export function mixText(shares: readonly Share[], members: readonly CastMember[]): string {
  return shares
    .filter(({ percent }) => percent !== 0)
    .map(({ name, percent }) => `${percent} % ${findMember(members, name)?.displayName ?? name}`)
    .join(', ')
}

/** The vector that the face of the mix is drawn from; empty where the roles have none. */
export function mixedVector(shares: readonly Share[]): Float32Array {
  const { members } = useCast.getState()
  const guest = findMember(members, shares[0]?.name ?? null)?.guest
  const roles = guest
    ? (useGuests.getState().packs.find(({ id }) => id === guest.id)?.roles ?? [])
    : (useEngine.getState().info?.roles ?? [])
  return faceVector(roles, { vector: new Float32Array(0), blend: blendOf(shares) })
}

function blendOf(shares: readonly Share[]): readonly BlendPart[] {
  const { members } = useCast.getState()
  return shares.flatMap(({ name, percent }) => {
    const role = findMember(members, name)?.role
    return role && percent !== 0 ? [{ role, weight: percent / 100 }] : []
  })
}

function packOf(shares: readonly Share[]): Promise<PackRef | undefined> {
  return packRefOf(findMember(useCast.getState().members, shares[0]?.name ?? null))
}

/** The line before a chat with the blend: that of its largest share, in its own name. */
function lineOf(shares: readonly Share[], name: string): string | null {
  const { members } = useCast.getState()
  const largest = shares.toSorted((a, b) => b.percent - a.percent)[0]
  const member = findMember(members, largest?.name ?? null)
  const roles = member?.guest
    ? useGuests.getState().packs.find(({ id }) => id === member.guest?.id)?.roles
    : useEngine.getState().info?.roles
  const role = roles?.find((one) => one.name === member?.role)
  if (!role?.system) return null
  return role.system.replaceAll(role.name, () => name).replaceAll(role.name.replaceAll('_', ' '), () => name)
}

/** Asks the blend something; what it said before is still known to it. */
export async function askBlend(question: string, name: string): Promise<void> {
  const words = question.trim()
  const { shares, isAnswering, exchanges } = useBlend.getState()
  if (words === '' || isAnswering || blendOf(shares).length === 0) return
  controller = new AbortController()
  const { signal } = controller
  const id = newId()
  const mix = mixText(shares, useCast.getState().members)
  const before = exchanges.flatMap(({ question: asked, answer }): readonly Turn[] => [
    { speaker: 'user', text: asked },
    { speaker: 'role', text: answer },
  ])
  useBlend.setState({
    isAnswering: true,
    failure: null,
    exchanges: [...exchanges, { id, question: words, answer: '', mix }],
  })
  const say = (add: (answer: string) => string): void =>
    useBlend.setState((state) => ({
      exchanges: state.exchanges.map((one) => (one.id === id ? { ...one, answer: add(one.answer) } : one)),
    }))
  try {
    const engine = await whenReady(signal)
    const settings = useSettings.getState()
    const pack = await packOf(shares)
    const scene = {
      role: null,
      ...(pack && { pack }),
      blend: blendOf(shares),
      strength: 1,
      system: lineOf(shares, name),
      turns: [...before, { speaker: 'user' as const, text: words }],
      continueLast: false,
    }
    const sampling = samplingOf(settings, settings.lockedSeed ?? newSeed())
    const { text } = await engine.request(
      'generate',
      { scene, sampling, maxTokens: settings.maxTokens },
      { onYield: (piece) => say((answer) => answer + piece.text), signal },
    )
    say(() => text.trim())
  } catch (thrown) {
    fail(thrown)
  } finally {
    useBlend.setState(({ exchanges: now }) => ({
      isAnswering: false,
      exchanges: now.filter(({ answer }) => answer !== ''),
    }))
  }
}

/** Stops the answer; what was said stays. */
export function stopBlend(): void {
  controller?.abort()
}

/** Keeps the blend as somebody of the cast, and opens a chat with them. */
export async function keepBlend(name: string): Promise<void> {
  const { shares, isKeeping } = useBlend.getState()
  const blend = blendOf(shares)
  if (isKeeping || blend.length === 0 || name.trim() === '') return
  useBlend.setState({ isKeeping: true, failure: null })
  try {
    const engine = await whenReady(new AbortController().signal)
    const { members } = useCast.getState()
    const pack = (await packOf(shares)) ?? shippedPack()
    if (!pack) return
    const title = name.trim()
    const file = await askFileWorker(
      openFileWorker,
      'blend',
      {
        pack: { name: pack.name, file: pack.file },
        name: title,
        system: lineOf(shares, title),
        card: { name: title, description: `${mixText(shares, members)}.` },
        shares: blend,
      },
      { limitMs: LIMIT_MS },
    )
    const id = newId()
    await engine.request('prove', { pack: { id, name: title, file }, roles: [title] })
    const backboneId = useEngine.getState().backbone?.id ?? null
    await keepPack({ id, name: title, backboneId, cast: [title], origin: { kind: 'blended' }, file })
    useBlend.setState(initial, true)
    await meetRole(guestKey(id, title))
  } catch (thrown) {
    fail(thrown)
  } finally {
    useBlend.setState({ isKeeping: false })
  }
}

function fail(thrown: unknown): void {
  const { code, message } = asHycoraError(thrown, 'device-lost')
  if (code !== 'cancelled') useBlend.setState({ failure: { code, message } })
}

/** Puts away the message about what went wrong. */
export function dismissBlendFailure(): void {
  useBlend.setState({ failure: null })
}

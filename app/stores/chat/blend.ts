// Scope: session. A blend in the making: whose parts it has, and what it said.
import type { BlendPart } from '../../../src/formats/packRoles.ts'
import type { PackRef } from '../../../src/formats/packFacts.ts'
import type { Turn } from '../../../src/core/dialogue.ts'
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { askFileWorker } from '../../../src/engine/fileClient.ts'
import { faceVector } from '../../../src/cast/face.ts'
import { guestKey, nameInKey } from '../../../src/cast/key.ts'
import { isPlayable } from '../../../src/cast/member.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { renamedLine } from '../../../src/cast/roleLine.ts'
import { openFileWorker } from '../engine/workers.ts'
import { findMember, useCast } from '../company/cast.ts'
import { meet } from './chats.ts'
import { affordsGuidance, shippedPack, useEngine, whenReady } from '../engine/engine.ts'
import { keepPack, packRefOf, useGuests } from '../company/guests.ts'
import { samplingOf } from '../page/moods.ts'
import { newId, newSeed } from '../page/newId.ts'
import { useSettings } from '../page/settings.ts'
import { storeText } from '../../words/store.ts'
import { listNames } from '../../words/names.ts'

/** A part of somebody of the cast, in percent. */
export interface Part {
  readonly key: string
  readonly percent: number
}

/** Something that was asked, and what the blend of that moment said. */
export interface HeardAnswer {
  readonly id: string
  readonly question: string
  readonly answer: string
  /** Who answered, in words. */
  readonly mix: string
}

interface BlendState {
  readonly parts: readonly Part[]
  readonly exchanges: readonly HeardAnswer[]
  readonly isAnswering: boolean
  readonly isKeeping: boolean
  readonly failure: Failure | null
}

const initial: BlendState = {
  parts: [],
  exchanges: [],
  isAnswering: false,
  isKeeping: false,
  failure: null,
}

export const useBlend = create<BlendState>()(() => initial)

let controller: AbortController | undefined

/** Those who can be mixed with each other: trained on the loaded model, of one pack with whoever is in it already. */
export function mixable(
  members: readonly CastMember[],
  parts: readonly Part[],
  info: { readonly fingerprint: string } | null,
): readonly CastMember[] {
  const first = members.find(({ key }) => key === parts[0]?.key)
  return members.filter(
    (member) =>
      isPlayable(member, info) &&
      member.guest?.origin.kind !== 'blended' &&
      (!first || first.guest?.id === member.guest?.id),
  )
}

/** Adds somebody; the first two have half each. */
export function addPart(key: string): void {
  useBlend.setState(({ parts }) => {
    if (parts.some((part) => part.key === key)) return {}
    const added = [...parts, { key, percent: parts.length < 2 ? 50 : 0 }]
    return { parts: parts.length === 0 ? [{ key, percent: 100 }] : halved(added) }
  })
}

function halved(parts: readonly Part[]): readonly Part[] {
  const isUntouched = parts.length === 2 && parts[0]?.percent === 100
  return isUntouched ? parts.map((part) => ({ ...part, percent: 50 })) : parts
}

/** Changes how much of somebody is in it. */
export function changePart(key: string, percent: number): void {
  useBlend.setState(({ parts }) => ({
    parts: parts.map((part) => (part.key === key ? { ...part, percent } : part)),
  }))
}

/** Takes somebody out. */
export function removePart(key: string): void {
  useBlend.setState(({ parts }) => ({ parts: parts.filter((part) => part.key !== key) }))
}

/** Puts others in the place of whoever is in it; what was said stays. */
export function setParts(parts: readonly Part[]): void {
  useBlend.setState({ parts })
}

/** What a mix is called until it has a name. */
export function nameOfMix(parts: readonly Part[], members: readonly CastMember[]): string {
  const names = parts
    .filter(({ percent }) => percent > 0)
    .map(({ key }) => findMember(members, key)?.displayName ?? nameInKey(key))
  return names.length === 1 ? storeText('blend.another', { name: names[0] ?? '' }) : listNames(names, '')
}

/** Begins anew. */
export function clearBlend(): void {
  controller?.abort()
  useBlend.setState(initial, true)
}

/** "60 % Sherlock Holmes, 40 % Alice". */
export function mixText(parts: readonly Part[], members: readonly CastMember[]): string {
  return parts
    .filter(({ percent }) => percent !== 0)
    .map(({ key, percent }) => `${percent} % ${findMember(members, key)?.displayName ?? nameInKey(key)}`)
    .join(', ')
}

/** The vector that the face of the mix is drawn from; empty where the roles have none. */
export function mixedVector(parts: readonly Part[]): Float32Array {
  const { members } = useCast.getState()
  const guest = findMember(members, parts[0]?.key ?? null)?.guest
  const roles = guest
    ? (useGuests.getState().packs.find(({ id }) => id === guest.id)?.roles ?? [])
    : (useEngine.getState().info?.roles ?? [])
  return faceVector(roles, { vector: new Float32Array(0), blend: blendOf(parts) })
}

function blendOf(parts: readonly Part[]): readonly BlendPart[] {
  const { members } = useCast.getState()
  return parts.flatMap(({ key, percent }) => {
    const role = findMember(members, key)?.role
    return role && percent !== 0 ? [{ role, weight: percent / 100 }] : []
  })
}

function packOf(parts: readonly Part[]): Promise<PackRef | undefined> {
  return packRefOf(findMember(useCast.getState().members, parts[0]?.key ?? null))
}

/** The line before a chat with the blend: that of its largest part, in its own name. */
function lineOf(parts: readonly Part[], name: string): string | null {
  const { members } = useCast.getState()
  const largest = parts.toSorted((a, b) => b.percent - a.percent)[0]
  const member = findMember(members, largest?.key ?? null)
  const roles = member?.guest
    ? useGuests.getState().packs.find(({ id }) => id === member.guest?.id)?.roles
    : useEngine.getState().info?.roles
  const role = roles?.find((one) => one.name === member?.role)
  return role?.system ? renamedLine(role.system, role.name, name) : null
}

/** Asks the blend something; what it said before is still known to it. */
export async function askBlend(question: string, name: string): Promise<void> {
  const words = question.trim()
  const { parts, isAnswering, exchanges } = useBlend.getState()
  if (words === '' || isAnswering || blendOf(parts).length === 0) return
  controller = new AbortController()
  const { signal } = controller
  const id = newId()
  const mix = mixText(parts, useCast.getState().members)
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
    const pack = await packOf(parts)
    const scene = {
      role: null,
      ...(pack && { pack }),
      blend: blendOf(parts),
      strength: 1,
      system: lineOf(parts, name),
      turns: [...before, { speaker: 'user' as const, text: words }],
      continueLast: false,
    }
    const sampling = samplingOf(settings, settings.lockedSeed ?? newSeed(), affordsGuidance())
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
  const { parts, isKeeping } = useBlend.getState()
  const blend = blendOf(parts)
  if (isKeeping || blend.length === 0 || name.trim() === '') return
  useBlend.setState({ isKeeping: true, failure: null })
  try {
    const engine = await whenReady(new AbortController().signal)
    const { members } = useCast.getState()
    const pack = (await packOf(parts)) ?? shippedPack()
    if (!pack) return
    const title = name.trim()
    const file = await askFileWorker(openFileWorker, 'blend', {
      pack: { name: pack.name, file: pack.file },
      name: title,
      system: lineOf(parts, title),
      card: { name: title, description: `${mixText(parts, members)}.` },
      parts: blend,
    })
    const id = newId()
    await engine.request('prove', { pack: { id, name: title, file }, roles: [title] })
    const backboneId = useEngine.getState().backbone?.id ?? null
    await keepPack({ id, name: title, backboneId, cast: [title], origin: { kind: 'blended' }, file })
    useBlend.setState(initial, true)
    await meet(guestKey(id, title))
  } catch (thrown) {
    fail(thrown)
  } finally {
    useBlend.setState({ isKeeping: false })
  }
}

function fail(thrown: unknown): void {
  const failure = failureOf(thrown, 'device-lost')
  if (failure.code !== 'cancelled') useBlend.setState({ failure })
}

/** Puts away the message about what went wrong. */
export function dismissBlendFailure(): void {
  useBlend.setState({ failure: null })
}

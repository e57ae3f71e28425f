// Scope: live. The answer that is being given; what of it is worth keeping goes into the chat.
import { create } from 'zustand'

import { failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import type { GenerationSummary } from '../../../src/engine/protocol.ts'
import type { Chat, Message } from '../../../src/storage/chat.ts'
import { isAnswer, selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import type { Generation, Take } from '../../../src/storage/records.ts'
import { loadDraft, saveDraft } from '../../../src/storage/drafts.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { withoutName } from '../../../src/cast/hearing.ts'
import { isGuestKey } from '../../../src/cast/key.ts'
import { bringBook, findMember, useCast } from '../company/cast.ts'
import { append, keepWhatIsSaid, newMessage, useChats } from './chats.ts'
import { affordsGuidance, sendsWholeCard, useEngine, whenReady } from '../engine/engine.ts'
import { packRefOf } from '../company/guests.ts'
import { laterPart } from '../page/laterPart.ts'
import { samplingOf } from '../page/moods.ts'
import { newId, newSeed } from '../page/newId.ts'
import { characterIn, characterName, heardBy, stageChat, stopsFor } from './scene.ts'
import type { Staging } from './scene.ts'
import { useSettings } from '../page/settings.ts'
import { visitorIn } from '../page/visitor.ts'
import { isTraining, useTraining } from '../teach/training.ts'
import { storeText } from '../../words/store.ts'

/** An answer on its way. */
export interface Live {
  readonly chat: string
  /**
   * `reply`: a message of its own; `take`: another wording of one; `continue`: carries the shown wording on; `visitor`: what
   * the visitor could say, into the box where they write.
   */
  readonly kind: 'reply' | 'take' | 'continue' | 'visitor'
  readonly message: string
  readonly take: string
  readonly name: string
  /** Of the member that answers; null for the bare backbone. */
  readonly key: string | null
  /** The whole wording as it stands, with what was there before where it is carried on. */
  readonly text: string
  readonly tokens: number
  /** Whether the model is still loading. */
  readonly isWaiting: boolean
}

/** Several who go on by themselves; each time another object. */
export interface GoingOn {
  readonly chat: string
}

interface GenerationState {
  readonly live: Live | null
  /** Where several go on by themselves until they are stopped; null for nowhere. */
  readonly goingOn: GoingOn | null
  /** Of several, the keys of those who speak behind whoever does now. */
  readonly next: readonly string[]
  /** Why the last answer failed, and where. */
  readonly failure: (Failure & Pick<Live, 'chat' | 'kind'>) | null
  /** The seed of the last answer. */
  readonly lastSeed: number | null
  /** The first message that the model could read in the last answer, when some were cut. */
  readonly cut: { readonly chat: string; readonly message: string } | null
}

export const useGeneration = create<GenerationState>()(() => ({
  live: null,
  goingOn: null,
  next: [],
  failure: null,
  lastSeed: null,
  cut: null,
}))

/** Whether somebody answers, or is about to. */
export function isAnswering({ live, next }: Pick<GenerationState, 'live' | 'next'>): boolean {
  return live !== null || next.length > 0
}

let controller: AbortController | undefined
/** Whether the live wording is already in the chat's log, because the page was about to close. */
let isInLog = false

/** Says something, and has it answered. */
export async function say(text: string): Promise<void> {
  const chat = useChats.getState().open
  const words = text.trim()
  if (!chat || words === '' || isAnswering(useGeneration.getState())) return
  const take: Take = { id: newId(), text: words, at: Date.now(), generation: null }
  const { name } = visitorIn(chat)
  const saved = append(chat.id, [
    { kind: 'message-added', message: newMessage({ speaker: 'user', name, key: null }, [take]) },
  ])
  keepWhatIsSaid()
  // The answer does not wait for the disk.
  await Promise.all([saved, answer(false)])
}

/**
 * Has the last words answered: by the chat's character, or by those of several whose turn it is.
 *
 * @param isPrompted whether somebody is to speak where the visitor has the say.
 */
export async function answer(isPrompted: boolean): Promise<void> {
  const chat = useChats.getState().open
  if (!chat || isAnswering(useGeneration.getState())) return
  if (!chat.group) {
    await perform(chat, 'reply', undefined)
    return
  }
  const { whoSpeaks } = await laterPart(() => import('./turns.ts'))
  await giveWord(chat.id, whoSpeaks(chat, isPrompted))
}

/** Has some of several speak, one after the other, until one is stopped or fails; whether all did, and were any. */
export async function giveWord(chat: string, keys: readonly string[]): Promise<boolean> {
  if (isAnswering(useGeneration.getState())) return false
  let isWhole = keys.length > 0
  useGeneration.setState({ next: keys })
  for (;;) {
    const [key, ...others] = useGeneration.getState().next
    const { open } = useChats.getState()
    if (key === undefined || open?.id !== chat) break
    const speaking = perform(heardBy(open, key), 'reply', undefined)
    useGeneration.setState({ next: others })
    isWhole &&= await speaking
    if (!isWhole) break
  }
  useGeneration.setState({ next: [] })
  return isWhole
}

/** Gives the last answer once more, in other words; the earlier ones stay. Answers, where nobody has yet. */
export async function again(): Promise<void> {
  const chat = useChats.getState().open
  const last = chat && visibleMessages(chat).at(-1)
  if (!chat || !last) return
  if (last.speaker === 'user') await answer(true)
  else if (canRepeat(chat)) await perform(heardBy(chat, last.key), 'take', last)
}

/** Carries the last answer on. */
export async function carryOn(): Promise<void> {
  const chat = useChats.getState().open
  const last = chat && visibleMessages(chat).at(-1)
  if (chat && last?.speaker === 'role') await perform(heardBy(chat, last.key), 'continue', last)
}

/** Has the model write the visitor's line, behind what they have written of it, into the box. */
export async function writeMine(written: string): Promise<void> {
  const chat = useChats.getState().open
  if (chat) await perform(chat, 'visitor', undefined, written)
}

/** Tries once more what has failed. */
export async function tryAgain(): Promise<void> {
  const { failure } = useGeneration.getState()
  if (failure?.kind === 'visitor') await writeMine(loadDraft(failure.chat))
  else await again()
}

/** Stops the answer, and those who go on by themselves; what has been said stays. */
export function stopAnswer(): void {
  endGoingOn()
  controller?.abort()
}

/** Lets nobody go on behind whoever speaks now. */
export function endGoingOn(): void {
  useGeneration.setState({ next: [], goingOn: null })
}

/** Whether the last message is an answer to something, not a greeting. */
export function canRepeat(chat: Chat): boolean {
  const shown = visibleMessages(chat)
  const last = shown.at(-1)
  if (last?.speaker !== 'role') return false
  // Several may talk before the visitor says anything.
  return (chat.group !== null && isAnswer(last)) || shown.some((message) => message.speaker === 'user')
}

/** Puts away the message about a failed answer. */
export function dismissFailure(): void {
  useGeneration.setState({ failure: null })
}

/** Whether it came to its end. */
async function perform(
  chat: Chat,
  kind: Live['kind'],
  target: Message | undefined,
  written = '',
): Promise<boolean> {
  // The graphics card answers or rehearses.
  if (useGeneration.getState().live || isTraining(useTraining.getState())) return false
  const before = kind === 'continue' && target ? selectedTake(target) : undefined
  const begun = before?.text ?? written
  const seed = useSettings.getState().lockedSeed ?? newSeed()
  controller = new AbortController()
  isInLog = false
  const member = findMember(useCast.getState().members, chat.key)
  const name = kind === 'visitor' ? visitorIn(chat).name : characterIn(chat, member)
  useGeneration.setState({
    failure: null,
    live: {
      chat: chat.id,
      kind,
      message: target?.id ?? newId(),
      take: before?.id ?? newId(),
      name,
      key: chat.key,
      text: begun,
      tokens: 0,
      isWaiting: useEngine.getState().phase !== 'ready',
    },
  })
  const flush = streamInto(begun, chat.group && name)
  let generation: Generation | null = null
  try {
    const { summary, messages } = await generate(chat, { kind, target, written, seed }, flush.push)
    generation = recordOf(summary, chat, seed)
    flush.finish(summary.text)
    const first = summary.firstTurn > 0 ? messages[summary.firstTurn] : undefined
    useGeneration.setState({ lastSeed: seed, cut: first ? { chat: chat.id, message: first } : null })
  } catch (thrown) {
    flush.finish()
    const failure = failureOf(thrown, 'device-lost')
    // What keeps the engine from standing at all is told beside it, once.
    const isToldElsewhere = failure.code === 'cancelled' || useEngine.getState().phase !== 'ready'
    if (!isToldElsewhere) useGeneration.setState({ failure: { ...failure, chat: chat.id, kind } })
  }
  const live = useGeneration.getState().live
  const saved = live ? keep(live, generation) : undefined
  useGeneration.setState({ live: null })
  await saved
  return generation !== null
}

interface Wanted extends Pick<Live, 'kind'> {
  readonly target: Message | undefined
  /** What the visitor has begun to write. */
  readonly written: string
  readonly seed: number
}

async function generate(
  chat: Chat,
  wanted: Wanted,
  onText: (text: string, tokens: number) => void,
): Promise<{ readonly summary: GenerationSummary } & Pick<Staging, 'messages'>> {
  const signal = (controller ?? new AbortController()).signal
  const engine = await whenReady(signal)
  if (sendsWholeCard()) await bringBook(chat.key)
  // Who can play is known only now.
  const member = findMember(useCast.getState().members, chat.key)
  if (!member && (isGuestKey(chat.key) || (chat.group && wanted.kind !== 'visitor'))) {
    throw new HycoraError('usage', storeText('speaker.gone', { name: characterName(member, chat.key) }))
  }
  const settings = useSettings.getState()
  const { open } = useChats.getState()
  const current = open?.id === chat.id ? heardBy(open, chat.key) : chat
  const { scene, names, messages } = await stage(current, member, wanted)
  useGeneration.setState(({ live }) => ({ live: live && { ...live, isWaiting: false } }))
  const summary = await engine.request(
    'generate',
    {
      scene,
      sampling: samplingOf(settings, wanted.seed, affordsGuidance()),
      maxTokens: settings.maxTokens,
      stops: stopsFor(settings.stops, names, current.group),
    },
    { onYield: ({ text, tokens }) => onText(text, tokens), signal },
  )
  return { summary, messages }
}

async function stage(
  chat: Chat,
  member: CastMember | undefined,
  { kind, target, written }: Wanted,
): Promise<Pick<Staging, 'scene' | 'names' | 'messages'>> {
  const visitor = visitorIn(chat)
  if (kind === 'visitor') {
    const { stageVisitor } = await laterPart(() => import('./visitorScene.ts'))
    return { ...stageVisitor(chat, { member, visitor, written }), messages: [] }
  }
  return stageChat(chat, {
    member,
    pack: await packRefOf(member),
    visitor,
    cast: useCast.getState().members,
    isWhole: sendsWholeCard(),
    ...(target && { target: target.id }),
    continueTarget: kind === 'continue',
  })
}

/**
 * Collects streamed text and shows it once a frame.
 *
 * @param name of whoever speaks among several, which is none of their words.
 */
function streamInto(
  before: string,
  name: string | null,
): {
  push: (text: string, tokens: number) => void
  finish: (whole?: string) => void
} {
  let text = ''
  let tokens = 0
  let frame = 0
  const show = (isWhole = false): void => {
    frame = 0
    const words = name === null || before !== '' ? text : withoutName(text, name, isWhole)
    useGeneration.setState(({ live }) => ({ live: live && { ...live, text: before + words, tokens } }))
  }
  return {
    push(delta, count) {
      text += delta
      tokens = count
      frame ||= requestAnimationFrame(() => show())
    },
    finish(whole) {
      if (frame) cancelAnimationFrame(frame)
      text = whole ?? text
      show(true)
    },
  }
}

function recordOf(summary: GenerationSummary, chat: Chat, seed: number): Generation {
  const { info } = useEngine.getState()
  return {
    backbone: info?.name ?? '',
    key: chat.key,
    strength: chat.strength,
    seed,
    promptTokens: summary.promptTokens,
    tokens: summary.tokens,
    tokensPerSecond: summary.tokensPerSecond,
    context: info?.context ?? 0,
    stop: summary.stop,
  }
}

/** Writes the live wording into the chat, and the visitor's own into their draft; an empty one leaves no trace. */
async function keep(live: Live, generation: Generation | null): Promise<void> {
  if (live.kind === 'visitor') {
    saveDraft(live.chat, live.text)
    return
  }
  const text = live.text.trim()
  if (text === '') return
  if (isInLog || live.kind === 'continue') {
    await append(live.chat, [
      { kind: 'take-edited', message: live.message, take: live.take, text, generation },
    ])
    return
  }
  isInLog = true
  const take: Take = { id: live.take, text, at: Date.now(), generation }
  if (live.kind === 'take') await append(live.chat, [{ kind: 'take-added', message: live.message, take }])
  else {
    const message = {
      ...newMessage({ speaker: 'role', name: live.name, key: live.key }, [take]),
      id: live.message,
    }
    await append(live.chat, [{ kind: 'message-added', message }])
  }
}

/** Saves a half-said answer when the page may be about to close. */
export function watchClosing(): void {
  document.addEventListener('visibilitychange', () => {
    const { live } = useGeneration.getState()
    if (document.visibilityState === 'hidden' && live) void keep(live, null)
  })
}

/** The chat's visible messages with the live wording in its place. */
export function withLive(chat: Chat, live: Live | null): readonly Message[] {
  const shown = visibleMessages(chat)
  if (live?.chat !== chat.id) return shown
  const wording: Take = { id: live.take, text: live.text, at: 0, generation: null }
  const place = shown.findIndex(({ id }) => id === live.message)
  const present = shown[place]
  if (!present) {
    if (live.kind !== 'reply') return shown
    const message = newMessage({ speaker: 'role', name: live.name, key: live.key }, [wording])
    return [...shown, { ...message, id: live.message, deleted: false }]
  }
  const at = present.takes.findIndex(({ id }) => id === live.take)
  const takes = at < 0 ? [...present.takes, wording] : present.takes.with(at, wording)
  return shown.with(place, { ...present, takes, selected: at < 0 ? takes.length - 1 : at })
}

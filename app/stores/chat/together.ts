// Scope: session. The same question put to several at once; one of their answers may be kept.
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { isPlayable } from '../../../src/cast/member.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import type { Scene } from '../../../src/play/scene.ts'
import type { Chat, Message } from '../../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import type { Take } from '../../../src/storage/records.ts'
import { findMember, useCast } from '../company/cast.ts'
import { packRefOf } from '../company/guests.ts'
import { affordsGuidance, useEngine, whenReady } from '../engine/engine.ts'
import { samplingOf } from '../page/moods.ts'
import { newId, newSeed } from '../page/newId.ts'
import { showDialog } from '../page/session.ts'
import { useSettings } from '../page/settings.ts'
import { visitorIn } from '../page/visitor.ts'
import { append, newMessage, useChats } from './chats.ts'
import {
  askedAlone,
  characterName,
  chatNames,
  heardBy,
  lastSpeaker,
  stageChat,
  stopsFor,
  wordsOf,
} from './scene.ts'
import type { ChatNames } from './scene.ts'

/** Who may answer at once, at most. */
export const MOST_ANSWERS = 8

/** Somebody's answer, as far as it has come. */
export interface OneAnswer {
  readonly id: string
  /** Of the member who gives it. */
  readonly key: string
  readonly name: string
  readonly seed: number
  readonly text: string
}

interface TogetherState {
  readonly question: string
  /** The chosen ones; in `again` mode the chat's own character alone is asked, so many times. */
  readonly chosen: readonly string[]
  readonly isAgain: boolean
  readonly answers: readonly OneAnswer[]
  readonly isAnswering: boolean
  readonly failure: Failure | null
}

const initial: TogetherState = {
  question: '',
  chosen: [],
  isAgain: false,
  answers: [],
  isAnswering: false,
  failure: null,
}

export const useTogether = create<TogetherState>()(() => initial)

let controller: AbortController | undefined

/** The last thing that the visitor said, which is asked again. */
function lastAsked(chat: Chat): Message | undefined {
  return visibleMessages(chat).findLast(({ speaker, excluded }) => speaker === 'user' && !excluded)
}

/** Those who can be asked in a chat, its own characters first. */
export function askable(members: readonly CastMember[], chat: Chat): readonly CastMember[] {
  const { info } = useEngine.getState()
  const taught = members.filter((member) => isPlayable(member, info))
  return taught.toSorted((a, b) => Number(isOf(chat, b.key)) - Number(isOf(chat, a.key)))
}

/** Whether somebody plays in a chat, and so knows all of it. */
function isOf({ key: own, group }: Chat, key: string): boolean {
  return group ? group.members.some((member) => member.key === key) : own === key
}

/** Who is asked several times: the chat's own character, of several whoever spoke last. */
export function ownOf(members: readonly CastMember[], chat: Chat): CastMember | undefined {
  return findMember(members, chat.group ? lastSpeaker(chat) : chat.key)
}

/** Opens the window on a chat, and asks. */
export async function askTogether(chat: Chat): Promise<void> {
  const { members } = useCast.getState()
  const asked = lastAsked(chat)
  if (!asked) return
  const names = chatNames(chat, findMember(members, chat.key), visitorIn(chat))
  const chosen = askable(members, chat).slice(0, MOST_ANSWERS)
  useTogether.setState({
    ...initial,
    question: wordsOf(selectedTake(asked), asked, chat, names),
    chosen: chosen.map(({ key }) => key),
  })
  showDialog('together')
  await askChosen()
}

/** Closes the window; what was not kept is forgotten. */
export function closeTogether(): void {
  controller?.abort()
  useTogether.setState(initial, true)
  showDialog('none')
}

/** Stops the answers; what was said stays. */
export function stopTogether(): void {
  controller?.abort()
}

/** Takes somebody in among those who are asked, or out. */
export function choose(key: string, isChosen: boolean): void {
  useTogether.setState(({ chosen }) => {
    const others = chosen.filter((one) => one !== key)
    return { chosen: isChosen && others.length < MOST_ANSWERS ? [...others, key] : others }
  })
}

/** Has the chat's own character asked so many times, or everybody once. */
export function setAgain(isAgain: boolean): void {
  useTogether.setState({ isAgain })
}

/** Puts away the message about what went wrong. */
export function dismissTogetherFailure(): void {
  useTogether.setState({ failure: null })
}

/** Asks those who are chosen. */
export async function askChosen(): Promise<void> {
  const chat = useChats.getState().open
  if (!chat) return
  controller?.abort()
  controller = new AbortController()
  const { signal } = controller
  useTogether.setState({ isAnswering: true, failure: null, answers: [] })
  try {
    const engine = await whenReady(signal)
    const settings = useSettings.getState()
    const seed = settings.lockedSeed ?? newSeed()
    const asked = await whoAnswers(chat, seed)
    if (signal.aborted) return
    useTogether.setState({ answers: asked.map(({ answer }) => answer) })
    const said = await engine.request(
      'together',
      {
        answers: asked.map(({ answer, scene, names }) => ({
          scene,
          stops: stopsFor(settings.stops, names, chat.group),
          sampling: samplingOf(settings, answer.seed, affordsGuidance()),
        })),
        maxTokens: settings.maxTokens,
      },
      { onYield: ({ index, text }) => say(asked[index]?.answer.id, (before) => before + text), signal },
    )
    said.forEach(({ text }, index) => say(asked[index]?.answer.id, (before) => text.trim() || before))
  } catch (thrown) {
    const failure = failureOf(thrown, 'device-lost')
    if (failure.code !== 'cancelled' && !signal.aborted) useTogether.setState({ failure })
  } finally {
    if (controller?.signal === signal) useTogether.setState({ isAnswering: false })
  }
}

function say(id: string | undefined, add: (before: string) => string): void {
  useTogether.setState(({ answers }) => ({
    answers: answers.map((answer) => (answer.id === id ? { ...answer, text: add(answer.text) } : answer)),
  }))
}

/** Those who answer, with what each reads: the chat's own characters all of it, the others the question alone. */
async function whoAnswers(
  chat: Chat,
  seed: number,
): Promise<{ readonly answer: OneAnswer; readonly scene: Scene; readonly names: ChatNames }[]> {
  const { chosen, isAgain, question } = useTogether.getState()
  const { members } = useCast.getState()
  const own = ownOf(members, chat)
  const keys = isAgain && own ? Array.from({ length: MOST_ANSWERS }, () => own.key) : chosen
  const visitor = visitorIn(chat)
  const [answered] = chat.group ? answersIn(chat) : answersIn(chat).slice(-1)
  return Promise.all(
    keys.map(async (key, index) => {
      const member = findMember(members, key)
      const pack = await packRefOf(member)
      const options = { member, pack, visitor, ...(answered && { target: answered.id }) }
      const scene = isOf(chat, key)
        ? stageChat(heardBy(chat, key), options).scene
        : askedAlone(member?.role ?? null, pack, question)
      const name = characterName(member, key)
      const names = { ...chatNames(chat, own, visitor), character: name }
      return {
        answer: { id: newId(), key, name, seed: isAgain ? seed + index : seed, text: '' },
        scene,
        names,
      }
    }),
  )
}

/** What the chat has for answers to the last question already. */
function answersIn(chat: Chat): readonly Message[] {
  const shown = visibleMessages(chat)
  return shown.slice(shown.findLastIndex(({ speaker }) => speaker === 'user') + 1)
}

/** Keeps one of the answers: the character's own as another wording of its last one, somebody else's as said by them. */
export async function keepAnswer({ key, name, text }: OneAnswer): Promise<void> {
  const chat = useChats.getState().open
  if (!chat || text.trim() === '') return
  const take: Take = { id: newId(), text: text.trim(), at: Date.now(), generation: null }
  const answers = answersIn(chat)
  const answered = (chat.group ? answers : answers.slice(-1)).findLast((message) => message.key === key)
  closeTogether()
  await append(chat.id, [
    answered
      ? { kind: 'take-added', message: answered.id, take }
      : { kind: 'message-added', message: newMessage({ speaker: 'role', name, key }, [take]) },
  ])
}

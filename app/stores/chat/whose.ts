// Scope: session. Whose words they are: the same ones weighed under everybody who was taught, and under nobody.
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { isPlayable } from '../../../src/cast/member.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import type { Scene } from '../../../src/play/scene.ts'
import type { Candidate, WeighedPiece } from '../../../src/play/weigh.ts'
import type { Chat, Message } from '../../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import { packRefOf } from '../company/guests.ts'
import { findMember, useCast } from '../company/cast.ts'
import { useEngine, whenReady } from '../engine/engine.ts'
import { showDialog } from '../page/session.ts'
import { visitorIn } from '../page/visitor.ts'
import { askedAlone, chatNames, lastSpeaker, wordsOf } from './scene.ts'

/** How likely somebody would have said the words. */
export interface Weighed {
  /** Of a member of the cast; null is the bare model. */
  readonly key: string | null
  readonly pieces: readonly WeighedPiece[]
}

/** What would rather have been said in a place, by somebody and by the bare model. */
export interface Place {
  readonly piece: number
  readonly byThem: readonly Candidate[]
  readonly byNobody: readonly Candidate[]
}

interface WhoseState {
  /** What the words answer. */
  readonly question: string
  readonly words: string
  readonly isWeighing: boolean
  /** Of the words as they were weighed last, in the order in which it was found out. */
  readonly found: readonly Weighed[]
  /** How many are asked, the bare model among them. */
  readonly total: number
  /** Whose words are shown one by one. */
  readonly shown: string | null
  readonly place: Place | null
  readonly failure: Failure | null
}

const initial: WhoseState = {
  question: '',
  words: '',
  isWeighing: false,
  found: [],
  total: 0,
  shown: null,
  place: null,
  failure: null,
}

export const useWhose = create<WhoseState>()(() => initial)

/** Stands for a question where the words answer none. */
const NO_QUESTION = 'Hello.'

let controller: AbortController | undefined
/** The scenes of those who were weighed last, for what is asked of a single word. */
let scenes: ReadonlyMap<string | null, Scene> = new Map()
let weighed = ''

/** Those who can be asked: taught, and on the loaded model. */
function judges(members: readonly CastMember[], first: string | null): readonly CastMember[] {
  const { info } = useEngine.getState()
  const taught = members.filter((member) => isPlayable(member, info))
  return taught.toSorted((a, b) => Number(b.key === first) - Number(a.key === first))
}

/** Opens the window on a message, with the last thing that was said to its speaker as the question. */
export async function askWhose(chat: Chat, message: Message): Promise<void> {
  const member = findMember(useCast.getState().members, chat.key)
  const names = chatNames(chat, member, visitorIn(chat))
  const messages = visibleMessages(chat)
  const before = messages.slice(
    0,
    messages.findIndex(({ id }) => id === message.id),
  )
  // Of several, one answers the other.
  const isAsking = ({ speaker, key, excluded }: Message): boolean =>
    !excluded && (speaker === 'user' || (chat.group !== null && key !== message.key))
  const asked = before.findLast(isAsking)
  useWhose.setState({
    ...initial,
    question: asked ? wordsOf(selectedTake(asked), asked, chat, names) : NO_QUESTION,
    words: wordsOf(selectedTake(message), message, chat, names),
    shown: chat.group ? (message.key ?? lastSpeaker(chat)) : chat.key,
  })
  showDialog('whose')
  await weigh()
}

/** Closes the window. */
export function closeWhose(): void {
  controller?.abort()
  useWhose.setState(initial, true)
  showDialog('none')
}

/** Changes what is to be weighed. */
export function writeWhose(text: Partial<Pick<WhoseState, 'question' | 'words'>>): void {
  useWhose.setState(text)
}

/** Shows the words of somebody one by one. */
export function showWhose(shown: string | null): void {
  useWhose.setState({ shown, place: null })
}

/** Puts away the message about what went wrong. */
export function dismissWhoseFailure(): void {
  useWhose.setState({ failure: null })
}

/** Weighs the words under everybody, the bare model first. */
export async function weigh(): Promise<void> {
  const { question, words, shown } = useWhose.getState()
  if (words.trim() === '') return
  controller?.abort()
  controller = new AbortController()
  const { signal } = controller
  useWhose.setState({ isWeighing: true, found: [], total: 0, place: null, failure: null })
  try {
    const engine = await whenReady(signal)
    const members = judges(useCast.getState().members, shown)
    const asked = question.trim() || NO_QUESTION
    const own = await Promise.all(
      members.map(async (member) => {
        const pack = await packRefOf(member)
        return [member.key, askedAlone(member.role, pack, asked)] as const
      }),
    )
    if (signal.aborted) return
    const bare = { ...askedAlone(null, undefined, asked), system: null }
    const entries = [[null, bare] as const, ...own]
    scenes = new Map(entries)
    weighed = words.trim()
    useWhose.setState({ total: entries.length })
    await engine.request(
      'weigh',
      { scenes: entries.map(([, scene]) => scene), text: weighed },
      {
        onYield: ({ index, pieces }) => {
          if (signal.aborted) return
          const key = entries[index]?.[0] ?? null
          useWhose.setState(({ found }) => ({ found: [...found, { key, pieces }] }))
        },
        signal,
      },
    )
  } catch (thrown) {
    fail(thrown, signal)
  } finally {
    if (!signal.aborted) useWhose.setState({ isWeighing: false })
  }
}

/** Asks what would rather have been said in a place of the words that are shown. */
export async function askPlace(piece: number): Promise<void> {
  const { shown } = useWhose.getState()
  const [theirs, bare] = [scenes.get(shown), scenes.get(null)]
  const signal = controller?.signal
  if (!theirs || !bare || !signal) return
  try {
    const engine = await whenReady(signal)
    const [byThem = [], byNobody = []] = await engine.request('alternatives', {
      scenes: [theirs, bare],
      text: weighed,
      piece,
    })
    if (!signal.aborted && useWhose.getState().shown === shown)
      useWhose.setState({ place: { piece, byThem, byNobody } })
  } catch (thrown) {
    fail(thrown, signal)
  }
}

function fail(thrown: unknown, signal: AbortSignal): void {
  const failure = failureOf(thrown, 'device-lost')
  if (failure.code !== 'cancelled' && !signal.aborted) useWhose.setState({ failure })
}

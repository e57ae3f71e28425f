// Scope: live. What would be sent now: its length, and where the context cuts it.
import type { Remark } from '../../../src/core/remarks.ts'
import { create } from 'zustand'

import type { PromptPreview } from '../../../src/engine/protocol.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { bringBook, findMember, useCast } from '../company/cast.ts'
import { useChats } from './chats.ts'
import { sendsWholeCard, useEngine, whenReady } from '../engine/engine.ts'
import { isAnswering, useGeneration } from './generation.ts'
import { packRefOf } from '../company/guests.ts'
import { heardBy, lastSpeaker, stageChat } from './scene.ts'
import type { Staging } from './scene.ts'
import { useSettings } from '../page/settings.ts'
import { visitorIn } from '../page/visitor.ts'

interface PreviewState {
  readonly chat: string | null
  readonly preview: PromptPreview | null
  /** The first message that the model reads, when earlier ones are cut. */
  readonly cutMessage: string | null
}

const nothing: PreviewState = { chat: null, preview: null, cutMessage: null }

export const usePreview = create<PreviewState>()(() => nothing)

/** How long the chat must stand still before it is counted. */
const SETTLE_MS = 250

let timer: ReturnType<typeof setTimeout> | undefined

/** Counts the open chat whenever it changes, except while an answer is on its way. */
export function watchPreview(): void {
  useChats.subscribe((state, before) => {
    if (state.open?.id !== before.open?.id) usePreview.setState(nothing)
    if (state.open !== before.open) schedule()
  })
  useEngine.subscribe((state, before) => {
    if (state.phase !== before.phase) schedule()
  })
  useSettings.subscribe((state, before) => {
    const counted = ['userName', 'userDescription', 'personas', 'cardText'] as const
    if (counted.some((key) => state[key] !== before[key])) schedule()
  })
  useGeneration.subscribe((state, before) => {
    if (!state.live && before.live) schedule()
  })
}

function schedule(): void {
  clearTimeout(timer)
  timer = setTimeout(() => void count(), SETTLE_MS)
}

async function count(): Promise<void> {
  const chat = useChats.getState().open
  if (!chat || isAnswering(useGeneration.getState()) || useEngine.getState().phase !== 'ready') return
  try {
    const preview = await readPreview(chat)
    if (useChats.getState().open?.id !== chat.id) return
    const staging = preview.firstTurn > 0 ? await stage(chat) : null
    const cutMessage = staging?.messages[preview.firstTurn] ?? null
    usePreview.setState({ chat: chat.id, preview, cutMessage })
  } catch {
    // Counting is a courtesy: an engine that cannot do it says why when it is asked to answer.
    usePreview.setState(nothing)
  }
}

async function stage(shown: Chat, isWhole = sendsWholeCard()): Promise<Staging> {
  // Of several, whoever spoke last; one who was chosen hears the chat already.
  const chat = shown.group && shown.key === null ? heardBy(shown, lastSpeaker(shown)) : shown
  if (isWhole) await bringBook(chat.key)
  const { members: cast } = useCast.getState()
  const member = findMember(cast, chat.key)
  const pack = await packRefOf(member)
  return stageChat(chat, { member, pack, visitor: visitorIn(chat), cast, isWhole })
}

/** What would be sent for a chat now, and what would not because the model reads a line alone. */
export interface SentPreview extends PromptPreview {
  readonly unsaid: readonly Remark[]
  /** Whether a role of a pack plays, and so there is a bare model to lean away from. */
  readonly isPlayed: boolean
}

/**
 * What would be sent for a chat now, once the model is there.
 *
 * @param isWhole whether the model has room for more than a line; left out, as is chosen.
 */
export async function readPreview(chat: Chat, isWhole?: boolean): Promise<SentPreview> {
  const engine = await whenReady(new AbortController().signal)
  const { scene, unsaid } = await stage(chat, isWhole)
  const isPlayed = (scene.role !== null || scene.blend !== undefined) && scene.strength !== 0
  return { ...(await engine.request('preview', scene)), unsaid, isPlayed }
}

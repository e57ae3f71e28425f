// What happened in a chat, summed up by the model in words that the visitor may change. No state: `useRecap` has what is being written.
import { failureOf, HycoraError } from '../../../src/core/errors.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import type { EngineClient } from '../../../src/engine/client.ts'
import type { Scene } from '../../../src/play/scene.ts'
import type { Chat, Message } from '../../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import { sendsWholeCard, whenReady } from '../engine/engine.ts'
import { notify } from '../page/notices.ts'
import { isTraining, useTraining } from '../teach/training.ts'
import { append, useChats } from './chats.ts'
import { useGeneration } from './generation.ts'
import { useRecap } from './recapWatch.ts'
import { storeText } from '../../words/store.ts'

/** Tokens of a summary at most. */
const MOST_TOKENS = 220

const SYSTEM =
  'You keep the record of a story. You write what happened, with names, in a few plain sentences and nothing else.'

let controller: AbortController | undefined

/** Changes the words of a summary; without any it is none, and no longer goes on. */
export async function changeRecap(chat: Chat, text: string): Promise<void> {
  const words = text.trim()
  if (words === (chat.recap?.text ?? '')) return
  const until = chat.recap?.until ?? visibleMessages(chat).at(-1)?.id ?? ''
  await append(chat.id, [{ kind: 'recap-changed', recap: words === '' ? null : { text: words, until } }])
}

/** Sums up all that was said, in place of the summary that was there, which can be had back. */
export async function sumUp(chat: Chat): Promise<void> {
  const before = chat.recap
  const isDone = await write(chat, '', spokenIn(chat))
  if (!isDone) return
  notify(storeText('recap'), () => append(chat.id, [{ kind: 'recap-changed', recap: before }]))
}

/** Carries the open chat's summary on over what lies before a message and is not in it yet. */
export async function goOnRecap(cut: string): Promise<void> {
  const chat = useChats.getState().open
  if (!chat?.recap) return
  const { recap } = chat
  const spoken = spokenIn(chat)
  const from = spoken.findIndex(({ id }) => id === recap.until) + 1
  const end = spoken.findIndex(({ id }) => id === cut)
  // Of a summary whose last message is gone nobody knows what it lacks.
  if (from === 0 || end <= from || !sendsWholeCard()) return
  await write(chat, recap.text, spoken.slice(from, end))
}

/** Stops writing; what was there stays. */
export function stopRecap(): void {
  controller?.abort()
}

/** Puts away the message about what went wrong. */
export function dismissRecapFailure(): void {
  useRecap.setState({ failure: null })
}

/** What counts of a chat. */
function spokenIn(chat: Chat): readonly Message[] {
  return visibleMessages(chat).filter(
    (message) => !message.excluded && selectedTake(message).text.trim() !== '',
  )
}

/** Writes a summary of one that is there and of messages behind it; whether it was written whole. */
async function write(chat: Chat, earlier: string, messages: readonly Message[]): Promise<boolean> {
  if (useRecap.getState().chat !== null || isTraining(useTraining.getState())) return false
  const until = messages.at(-1)?.id
  if (until === undefined) return false
  const own = new AbortController()
  controller = own
  useRecap.setState({ chat: chat.id, text: earlier, failure: null })
  // Whoever says something is answered first.
  const unwatch = useGeneration.subscribe(({ live }) => live && own.abort())
  try {
    const engine = await whenReady(own.signal)
    const text = await summaryOf(engine, { earlier, lines: messages.map(lineOf), signal: own.signal })
    await append(chat.id, [{ kind: 'recap-changed', recap: { text, until } }])
    return true
  } catch (thrown) {
    const failure = failureOf(thrown, 'device-lost')
    if (failure.code !== 'cancelled') useRecap.setState({ failure: { ...failure, chat: chat.id } })
    return false
  } finally {
    unwatch()
    useRecap.setState({ chat: null, text: '' })
  }
}

function lineOf(message: Message): string {
  return `${message.name}: ${selectedTake(message).text.trim()}`
}

interface Summed {
  readonly earlier: string
  readonly lines: readonly string[]
  readonly signal: AbortSignal
}

/** Goes through the lines by as many at once as the model can hold, each time with what is summed up already. */
async function summaryOf(engine: EngineClient, { earlier, lines, signal }: Summed): Promise<string> {
  let text = earlier
  for (let from = 0; from < lines.length;) {
    const { scene, count } = await fitting(engine, text, lines.slice(from))
    from += count
    let written = ''
    const { text: whole, stop } = await engine.request(
      'generate',
      { scene, sampling: GREEDY, maxTokens: MOST_TOKENS },
      { onYield: (piece) => useRecap.setState({ text: (written += piece.text).trim() }), signal },
    )
    if (stop === 'cancelled') throw new HycoraError('cancelled', storeText('recap.stopped'))
    text = whole.trim()
    if (text === '') throw new HycoraError('usage', storeText('recap.empty'))
  }
  return text
}

/** A scene with the first of the lines, as many as there is room for; of one that is too long itself, its beginning. */
async function fitting(
  engine: EngineClient,
  earlier: string,
  lines: readonly string[],
): Promise<{ readonly scene: Scene; readonly count: number }> {
  let taken = lines
  for (;;) {
    const scene = sceneOf(earlier, taken)
    const { tokens, context, firstTurn } = await engine.request('preview', scene)
    const [first = ''] = taken
    const fits = firstTurn === 0 && tokens + MOST_TOKENS <= context
    if (fits || (taken.length === 1 && first.length < 2)) return { scene, count: taken.length }
    taken = taken.length > 1 ? taken.slice(0, taken.length >> 1) : [first.slice(0, first.length >> 1)]
  }
}

function sceneOf(earlier: string, lines: readonly string[]): Scene {
  const before = earlier === '' ? '' : `What happened before:\n${earlier}\n\n`
  const text = `${before}What was said then:\n${lines.join('\n')}\n\nWrite what happened so far, in five sentences at most.`
  return {
    role: null,
    strength: 1,
    system: SYSTEM,
    turns: [{ speaker: 'user', text }],
    continueLast: false,
  }
}

// Reads a message with a voice of this device, a sentence at a time, also while it is still being said. No state: `useReading` has it.
import { selectedTake } from '../../../src/storage/chat.ts'
import { findMember, useCast } from '../company/cast.ts'
import { localVoices, noVoiceText, utteranceOf, voiceFor } from '../page/localVoices.ts'
import { notify } from '../page/notices.ts'
import { useSettings } from '../page/settings.ts'
import { visitorIn } from '../page/visitor.ts'
import { useChats } from './chats.ts'
import { plainSpeech, sentenceEnds } from './ear.ts'
import { useGeneration, withLive } from './generation.ts'
import { useReading } from './reading.ts'
import { chatNames, wordsOf } from './scene.ts'
import { storeText } from '../../words/store.ts'

let end: () => void = () => undefined

/** Stops reading. */
export function stopReading(): void {
  end()
  end = () => undefined
  useReading.setState({ message: null })
}

/** Reads a message of the open chat aloud, as far as it is said, and what comes of it then; stops what was read before. */
export async function readAloud(message: string): Promise<void> {
  stopReading()
  useReading.setState({ message })
  const voices = await localVoices()
  if (useReading.getState().message !== message) return
  if (voices.length === 0) {
    stopReading()
    notify(noVoiceText())
    return
  }
  const reader = openReader(message, voices)
  const watches = [useGeneration.subscribe(reader.goOn), useChats.subscribe(reader.goOn)]
  // A browser would go on for a while after the page is gone.
  addEventListener('pagehide', stopReading)
  end = () => {
    removeEventListener('pagehide', stopReading)
    for (const unwatch of watches) unwatch()
    reader.close()
  }
  reader.goOn()
}

interface Reader {
  /** Reads what has become whole, and ends where nothing more is to come, or the words are others now. */
  readonly goOn: () => void
  readonly close: () => void
}

function openReader(message: string, voices: readonly SpeechSynthesisVoice[]): Reader {
  const begun = wordingOf(message)
  let heard = ''
  let isClosed = false
  /** Held until they are over: a browser may forget one that nobody holds, and its end would never be told. */
  const waiting = new Set<SpeechSynthesisUtterance>()
  const goOn = (): void => {
    const now = wordingOf(message)
    if (!now || now.take !== begun?.take || !now.text.startsWith(heard)) return stopReading()
    for (const until of sentenceEnds(now.text, heard.length, now)) {
      say(plainSpeech(now.text.slice(heard.length, until)), now.key)
      heard = now.text.slice(0, until)
    }
    if (now.isWhole && waiting.size === 0) stopReading()
  }
  const say = (text: string, key: string | null): void => {
    const chosen = key === null ? undefined : useSettings.getState().voices[key]
    const voice = voiceFor(text, chosen, voices)
    if (!voice || !/[\p{L}\p{N}]/u.test(text)) return
    const utterance = utteranceOf(text, chosen, voice)
    const over = (): void => {
      waiting.delete(utterance)
      if (!isClosed) goOn()
    }
    utterance.addEventListener('end', over)
    utterance.addEventListener('error', ({ error }) => {
      if (isClosed) return
      stopReading()
      if (error !== 'canceled' && error !== 'interrupted')
        notify(storeText('voice.stopped', { name: voice.name, error }))
    })
    waiting.add(utterance)
    speechSynthesis.speak(utterance)
  }
  const close = (): void => {
    isClosed = true
    speechSynthesis.cancel()
  }
  return { goOn, close }
}

interface Wording {
  readonly key: string | null
  readonly take: string
  readonly text: string
  /** Whether nothing more is to come. */
  readonly isWhole: boolean
}

/** The shown wording of a message of the open chat; undefined where it is not there. */
function wordingOf(id: string): Wording | undefined {
  const chat = useChats.getState().open
  const { live } = useGeneration.getState()
  const message = chat && withLive(chat, live).find((one) => one.id === id)
  if (!chat || !message) return undefined
  const member = findMember(useCast.getState().members, chat.key)
  const take = selectedTake(message)
  const text = wordsOf(take, message, chat, chatNames(chat, member, visitorIn(chat)))
  return { key: message.key, take: take.id, text: text.trimStart(), isWhole: live?.message !== id }
}

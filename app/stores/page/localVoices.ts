// The voices of this device that the browser may read with. No state.
import type { ReadingVoice } from '../../../src/storage/records.ts'
import { storeText } from '../../words/store.ts'

/** How long a browser may take to ask the system for its voices, in milliseconds: where there are none it never says so. */
const PATIENCE = 2000

/** What is said where there are none. */
export function noVoiceText(): string {
  return storeText('voice.none')
}

/** Voices that speak on this device: what they are given to read does not leave it. */
export async function localVoices(): Promise<readonly SpeechSynthesisVoice[]> {
  if (!('speechSynthesis' in globalThis)) return []
  if (speechSynthesis.getVoices().length === 0) await untilListed()
  return speechSynthesis.getVoices().filter(({ localService }) => localService)
}

function untilListed(): Promise<void> {
  return new Promise((resolve) => {
    speechSynthesis.addEventListener('voiceschanged', () => resolve(), { once: true })
    setTimeout(resolve, PATIENCE)
  })
}

/** The voice for a text: the one chosen while it is here, else the usual one of the text's language, else any. */
export function voiceFor(
  text: string,
  chosen: ReadingVoice | undefined,
  voices: readonly SpeechSynthesisVoice[],
): SpeechSynthesisVoice | undefined {
  const language = /\p{Script=Han}/u.test(text) ? 'zh' : 'en'
  const spoken = voices.filter(({ lang }) => lang.toLowerCase().startsWith(language))
  return (
    voices.find(({ voiceURI }) => voiceURI === chosen?.voice) ??
    spoken.find((voice) => voice.default) ??
    spoken[0] ??
    voices[0]
  )
}

/** A text for a voice to say. */
export function utteranceOf(
  text: string,
  chosen: ReadingVoice | undefined,
  voice: SpeechSynthesisVoice,
): SpeechSynthesisUtterance {
  const utterance = new SpeechSynthesisUtterance(text)
  utterance.voice = voice
  utterance.lang = voice.lang
  utterance.pitch = chosen?.pitch ?? 1
  utterance.rate = chosen?.pace ?? 1
  return utterance
}

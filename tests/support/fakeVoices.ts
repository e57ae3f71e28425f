/** Something that was given to a scripted voice to say. */
export interface FakeUtterance extends EventTarget {
  readonly text: string
  readonly voice: { readonly name: string } | null
  readonly pitch: number
  readonly rate: number
}

/** A browser's speech, scripted: it keeps what it is given and says nothing until it is told to. */
export interface FakeVoices {
  /** What waits to be said, the next first. */
  readonly queue: readonly FakeUtterance[]
  /** Everything that it was given. */
  readonly given: readonly FakeUtterance[]
  /** Says what is next, or fails at it with this error. */
  next(error?: string): void
  /** What stands in for the browser's own, by name. */
  readonly globals: { readonly speechSynthesis: EventTarget; readonly SpeechSynthesisUtterance: unknown }
}

interface FakeVoice {
  readonly name: string
  readonly lang: string
  readonly localService: boolean
  readonly default?: boolean
}

class Utterance extends EventTarget implements FakeUtterance {
  voice: FakeVoice | null = null
  lang = ''
  pitch = 1
  rate = 1
  readonly text: string
  constructor(text: string) {
    super()
    this.text = text
  }
}

/** Scripted speech with these voices; where there are none, it says so when it is asked. */
export function createFakeVoices(voices: readonly FakeVoice[]): FakeVoices {
  let queue: Utterance[] = []
  const given: Utterance[] = []
  const fail = (one: Utterance, error: string): boolean =>
    one.dispatchEvent(Object.assign(new Event('error'), { error }))
  const synthesis = Object.assign(new EventTarget(), {
    getVoices() {
      if (voices.length === 0) queueMicrotask(() => synthesis.dispatchEvent(new Event('voiceschanged')))
      return voices.map((voice) => ({ default: false, voiceURI: `urn:${voice.name}`, ...voice }))
    },
    speak(one: Utterance) {
      queue.push(one)
      given.push(one)
    },
    cancel() {
      const cut = queue
      queue = []
      for (const one of cut) fail(one, 'canceled')
    },
  })
  return {
    given,
    get queue() {
      return queue
    },
    next(error) {
      const one = queue.shift()
      if (one && error === undefined) one.dispatchEvent(new Event('end'))
      else if (one) fail(one, error ?? '')
    },
    globals: { speechSynthesis: synthesis, SpeechSynthesisUtterance: Utterance },
  }
}

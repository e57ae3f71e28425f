import { useEffect, useState } from 'react'

import hidden from '../shared/VisuallyHidden.module.css'
import { useGeneration } from '../stores/chat/generation.ts'
import type { Live } from '../stores/chat/generation.ts'
import { useSettings } from '../stores/page/settings.ts'
import { plainSpeech, sentenceEnds } from '../stores/chat/ear.ts'

/** Tells a screen reader what is being said, a sentence at a time. */
export function Announcer() {
  const isOn = useSettings((state) => state.announce)
  return (
    <div className={hidden.hidden} aria-live="polite">
      {isOn && <LastWords />}
    </div>
  )
}

function LastWords() {
  // Numbered: the same words once more would leave the page as it is, and so would not be read out.
  const [heard, setHeard] = useState({ words: '', number: 0 })
  useEffect(() => {
    let told = 0
    const tell = (live: Live, end: number): void => {
      const words = plainSpeech(live.text.slice(told, end))
      const line = told === 0 ? `${live.name}: ${words}` : words
      if (words) setHeard(({ number }) => ({ words: line, number: number + 1 }))
      told = end
    }
    return useGeneration.subscribe(({ live }, { live: before }) => {
      if (live && live.take !== before?.take)
        told = live.kind === 'continue' || live.kind === 'visitor' ? live.text.length : 0
      if (live) {
        const end = sentenceEnds(live.text, told).at(-1)
        if (end !== undefined) tell(live, end)
      } else if (before && before.text.length > told) tell(before, before.text.length)
    })
  }, [])
  return heard.number > 0 && <span key={heard.number}>{heard.words}</span>
}

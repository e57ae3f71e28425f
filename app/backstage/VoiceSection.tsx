import { useEffect, useState } from 'react'

import type { ReadingVoice } from '../../src/storage/records.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { Button } from '../shared/Button.tsx'
import { Slider } from '../shared/Slider.tsx'
import asides from '../shared/Asides.module.css'
import { localVoices, noVoiceText, utteranceOf, voiceFor } from '../stores/page/localVoices.ts'
import { chooseVoice, useSettings } from '../stores/page/settings.ts'
import { Field } from '../teach/parts/Field.tsx'
import { Section } from './Section.tsx'
import { backstageText } from '../words/backstage.ts'

const AS_IT_IS: ReadingVoice = { voice: null, pitch: 1, pace: 1 }

/** How a character sounds when it is read aloud. */
export default function VoiceSection({ member }: { readonly member: CastMember }) {
  const voices = useVoices()
  const kept = useSettings((state) => state.voices[member.key])
  const chosen = kept ?? AS_IT_IS
  const change = (changes: Partial<ReadingVoice>): void => chooseVoice(member.key, { ...chosen, ...changes })
  if (!voices) return null
  return (
    <Section title={backstageText('voice')}>
      {voices.length === 0 ? (
        <p className={asides.note}>{noVoiceText()}</p>
      ) : (
        <>
          <Field label={backstageText('voice.who', { displayName: member.displayName })}>
            {(id) => (
              <select
                id={id}
                value={voices.some(({ voiceURI }) => voiceURI === chosen.voice) ? (chosen.voice ?? '') : ''}
                onChange={({ target }) => change({ voice: target.value || null })}
              >
                <option value="">{backstageText('voice.usual')}</option>
                {voices.map(({ voiceURI, name, lang }) => (
                  <option key={voiceURI} value={voiceURI}>
                    {name} · {lang}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Slider
            label={backstageText('voice.pitch')}
            about={backstageText('voice.pitch.about')}
            {...numberProps(chosen.pitch, (pitch) => change({ pitch }))}
          />
          <Slider
            label={backstageText('voice.pace')}
            about={backstageText('voice.pace.about')}
            {...numberProps(chosen.pace, (pace) => change({ pace }))}
          />
          <div>
            <Button
              label={backstageText('voice.hear')}
              icon="sound"
              onClick={() => hear(member, kept, voices)}
            />
          </div>
          <p className={asides.note}>{backstageText('voice.about')}</p>
        </>
      )}
    </Section>
  )
}

function numberProps(value: number, onChange: (value: number) => void) {
  return {
    value,
    min: 0.5,
    max: 2,
    step: 0.05,
    onChange,
    ...(value !== 1 && { onReset: () => onChange(1) }),
  }
}

/** The local voices, as long as the browser finds more of them; null until it has looked. */
function useVoices(): readonly SpeechSynthesisVoice[] | null {
  const [voices, setVoices] = useState<readonly SpeechSynthesisVoice[] | null>(null)
  useEffect(() => {
    let isHere = true
    const list = async (): Promise<void> => {
      const found = await localVoices()
      if (isHere) setVoices(found)
    }
    const listen = (): void => void list()
    listen()
    const synthesis = 'speechSynthesis' in globalThis ? speechSynthesis : undefined
    synthesis?.addEventListener('voiceschanged', listen)
    return () => {
      isHere = false
      synthesis?.removeEventListener('voiceschanged', listen)
    }
  }, [])
  return voices
}

/** Has a character say their line of the gallery. */
function hear(
  member: CastMember,
  chosen: ReadingVoice | undefined,
  voices: readonly SpeechSynthesisVoice[],
): void {
  const text = `${member.displayName}. ${member.line}`
  const voice = voiceFor(text, chosen, voices)
  if (!voice) return
  speechSynthesis.cancel()
  speechSynthesis.speak(utteranceOf(text, chosen, voice))
}

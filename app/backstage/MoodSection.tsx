import type { Mood, SamplerSlider } from '../stores/page/moods.ts'
import {
  guidanceSlider,
  lengths,
  moods,
  ownValue,
  roleGuidanceSlider,
  samplers,
} from '../stores/page/moods.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { changeSettings, chooseMood, setSampler, useSettings } from '../stores/page/settings.ts'
import { Choices } from './Choices.tsx'
import styles from './MoodSection.module.css'
import { Section } from './Section.tsx'
import { escapeLine, unescapeLine } from '../../src/core/escapes.ts'
import { Field } from '../teach/parts/Field.tsx'
import { Slider } from '../shared/Slider.tsx'
import asides from '../shared/Asides.module.css'

const choices = (['steady', 'lively', 'wild', 'exact'] satisfies readonly Mood[]).map((value) => ({
  value,
  name: moods[value].name,
}))

const leading: readonly SamplerSlider[] = [guidanceSlider, roleGuidanceSlider]

const sliderOf = (slider: SamplerSlider) => <SamplerRow key={slider.key} slider={slider} />

/** How words are chosen: four moods, how near to the question or into the role, and how long, and the numbers behind them in a fold. */
export function MoodSection() {
  const mood = useSettings((state) => state.mood)
  const length = useSettings((state) => state.length)
  const overrides = useSettings((state) => state.overrides)
  const maxTokens = useSettings((state) => state.maxTokens)
  const changed = Object.keys(overrides).length
  return (
    <Section title="Mood">
      <Choices label="Mood" choices={choices} value={mood} onChange={chooseMood} />
      <p className={asides.quiet}>
        {moods[mood].about}
        {changed > 0 && ` With ${changed} of its numbers changed.`}
      </p>
      {leading.map(sliderOf)}
      <Choices
        label="Length"
        choices={lengths}
        value={length}
        onChange={(value) => changeSettings({ length: value })}
      />
      <p className={asides.quiet}>How soon an answer ends, once a sentence of it is whole.</p>
      <details className={styles.fold}>
        <summary>The numbers</summary>
        <div className={styles.numbers}>
          {samplers.filter((slider) => !leading.includes(slider)).map(sliderOf)}
          <Slider
            label="Longest answer"
            about="In tokens; an English word is one or two."
            min={20}
            max={600}
            step={20}
            value={maxTokens}
            onChange={(value) => changeSettings({ maxTokens: value })}
          />
          <Stops />
        </div>
      </details>
    </Section>
  )
}

/** One of the sliders, with what it does here. */
function SamplerRow({ slider }: { readonly slider: SamplerSlider }) {
  const mood = useSettings((state) => state.mood)
  const overrides = useSettings((state) => state.overrides)
  const affordsGuidance = useEngine((state) => state.info?.affordsGuidance ?? true)
  const { key, name, about, ...range } = slider
  const own = ownValue(mood, key, affordsGuidance)
  const leansIntoRole = (overrides['roleGuidance'] ?? moods[mood].samplers.roleGuidance) > 1
  const notes = [
    about,
    ...(leading.includes(slider) && !affordsGuidance ? ['Here it takes twice the time.'] : []),
    ...(key === 'guidance' && leansIntoRole ? ['Now a taught character leans into the role instead.'] : []),
  ]
  return (
    <Slider
      label={name}
      about={notes.join(' ')}
      {...range}
      value={overrides[key] ?? own}
      onChange={(value) => setSampler(key, value, own)}
      {...(key in overrides && { onReset: () => setSampler(key, own, own) })}
    />
  )
}

/** The strings before which answers end. */
function Stops() {
  const stops = useSettings((state) => state.stops)
  const lines = stops.map(escapeLine).join('\n')
  return (
    <Field
      label="An answer ends before, one a line"
      about="\n is a new line; {{user}} and {{char}} are the two names."
    >
      {(id, aboutId) => (
        <textarea
          key={lines}
          id={id}
          aria-describedby={aboutId}
          rows={3}
          spellCheck={false}
          defaultValue={lines}
          onBlur={({ target }) =>
            changeSettings({
              stops: target.value
                .split('\n')
                .map(unescapeLine)
                .filter((stop) => stop !== ''),
            })
          }
        />
      )}
    </Field>
  )
}

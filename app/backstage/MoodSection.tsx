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
import { backstageText } from '../words/backstage.ts'

const choices = ['steady', 'lively', 'wild', 'exact'] as const satisfies readonly Mood[]

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
    <Section title={backstageText('mood')}>
      <Choices
        label={backstageText('mood')}
        choices={choices.map((value) => ({ value, name: backstageText(`mood.${value}`) }))}
        value={mood}
        onChange={chooseMood}
      />
      <p className={asides.quiet}>
        {changed > 0
          ? backstageText('mood.changed', { about: backstageText(`mood.${mood}.about`), changed })
          : backstageText(`mood.${mood}.about`)}
      </p>
      {leading.map(sliderOf)}
      <Choices
        label={backstageText('length')}
        choices={lengths.map((value) => ({ value, name: backstageText(`length.${value}`) }))}
        value={length}
        onChange={(value) => changeSettings({ length: value })}
      />
      <p className={asides.quiet}>{backstageText('length.about')}</p>
      <details className={styles.fold}>
        <summary>{backstageText('mood.numbers')}</summary>
        <div className={styles.numbers}>
          {samplers.filter((slider) => !leading.includes(slider)).map(sliderOf)}
          <Slider
            label={backstageText('mood.longest')}
            about={backstageText('mood.longest.about')}
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
  const { key, ...range } = slider
  const own = ownValue(mood, key, affordsGuidance)
  const leansIntoRole = (overrides['roleGuidance'] ?? moods[mood].roleGuidance) > 1
  const notes = [
    backstageText(`sampler.${key}.about`),
    ...(leading.includes(slider) && !affordsGuidance ? [backstageText('mood.twice')] : []),
    ...(key === 'guidance' && leansIntoRole ? [backstageText('mood.leans')] : []),
  ]
  return (
    <Slider
      label={backstageText(`sampler.${key}`)}
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
    <Field label={backstageText('mood.stops')} about={backstageText('mood.stops.about')}>
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

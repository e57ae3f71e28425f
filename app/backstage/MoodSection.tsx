import type { Mood } from '../stores/page/moods.ts'
import { moods, samplers } from '../stores/page/moods.ts'
import { changeSettings, chooseMood, setSampler, useSettings } from '../stores/page/settings.ts'
import { Choices } from './Choices.tsx'
import styles from './MoodSection.module.css'
import { Section } from './Section.tsx'
import { Slider } from './Slider.tsx'
import asides from '../shared/Asides.module.css'

const choices = (['steady', 'lively', 'wild', 'exact'] satisfies readonly Mood[]).map((value) => ({
  value,
  name: moods[value].name,
}))

/** How words are chosen: four moods, and the numbers behind them in a fold. */
export function MoodSection() {
  const mood = useSettings((state) => state.mood)
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
      <details className={styles.fold}>
        <summary>The numbers</summary>
        <div className={styles.numbers}>
          {samplers.map(({ key, name, about, min, max, step }) => (
            <Slider
              key={key}
              label={name}
              about={about}
              min={min}
              max={max}
              step={step}
              value={overrides[key] ?? moods[mood].samplers[key]}
              onChange={(value) => setSampler(key, value)}
              {...(key in overrides && { onReset: () => setSampler(key, moods[mood].samplers[key]) })}
            />
          ))}
          <Slider
            label="Longest answer"
            about="In tokens; an English word is one or two."
            min={20}
            max={600}
            step={20}
            value={maxTokens}
            onChange={(value) => changeSettings({ maxTokens: value })}
          />
        </div>
      </details>
    </Section>
  )
}

import { CallMe } from '../cast/CallMe.tsx'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import { Choices } from './Choices.tsx'
import { Section } from './Section.tsx'
import styles from './ViewSection.module.css'

const themes = [
  { value: 'system', name: 'System' },
  { value: 'light', name: 'Light' },
  { value: 'dark', name: 'Dark' },
] as const

/** How the page looks and speaks to this visitor. */
export function ViewSection() {
  const theme = useSettings((state) => state.theme)
  const announce = useSettings((state) => state.announce)
  return (
    <Section title="You">
      <div className={styles.name}>
        <CallMe />
      </div>
      <Choices
        label="Light"
        choices={themes}
        value={theme}
        onChange={(value) => changeSettings({ theme: value })}
      />
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={announce}
          onChange={(event) => changeSettings({ announce: event.target.checked })}
        />
        Read answers out to a screen reader
      </label>
    </Section>
  )
}

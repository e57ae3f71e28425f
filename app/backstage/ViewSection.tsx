import { CallMe } from '../cast/CallMe.tsx'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import { Choices } from './Choices.tsx'
import { Section } from './Section.tsx'
import styles from './ViewSection.module.css'
import { backstageText } from '../words/backstage.ts'

const themes = ['system', 'light', 'dark'] as const
const languages = ['system', 'en', 'zh-Hans'] as const

/** How the page looks and speaks to this visitor. */
export function ViewSection() {
  const theme = useSettings((state) => state.theme)
  const language = useSettings((state) => state.language)
  const announce = useSettings((state) => state.announce)
  return (
    <Section title={backstageText('view')}>
      <div className={styles.name}>
        <CallMe />
      </div>
      <Choices
        label={backstageText('view.theme')}
        choices={themes.map((value) => ({ value, name: backstageText(`view.theme.${value}`) }))}
        value={theme}
        onChange={(value) => changeSettings({ theme: value })}
      />
      <Choices
        label={backstageText('view.language')}
        choices={languages.map((value) => ({ value, name: backstageText(`view.language.${value}`) }))}
        value={language}
        onChange={(value) => changeSettings({ language: value })}
      />
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={announce}
          onChange={(event) => changeSettings({ announce: event.target.checked })}
        />
        {backstageText('view.announce')}
      </label>
    </Section>
  )
}

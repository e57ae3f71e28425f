import { chooseCompany, useCompany } from '../stores/company.ts'
import { useEngine } from '../stores/engine.ts'
import { routeHash } from '../stores/route.ts'
import { showBackstage } from '../stores/session.ts'
import { useSettings } from '../stores/settings.ts'
import { isTraining, useTraining } from '../stores/training.ts'
import styles from './CompanySection.module.css'
import { Section } from './Section.tsx'

/** Which company plays: the one that came with the model, or one that was trained here. */
export function CompanySection() {
  const packs = useCompany((state) => state.packs)
  const company = useSettings((state) => state.company)
  const isLoading = useEngine((state) => state.phase === 'starting' || state.phase === 'loading')
  const isBusy = useTraining(isTraining)
  return (
    <Section title="The company">
      {packs.length > 0 && (
        <select
          className={styles.select}
          aria-label="Which company plays"
          disabled={isLoading || isBusy}
          value={company ?? ''}
          onChange={(event) => void chooseCompany(event.target.value || null)}
        >
          <option value="">The one that came with the model</option>
          {packs.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      )}
      <a className={styles.link} href={routeHash({ screen: 'teach' })} onClick={() => showBackstage(false)}>
        Teach someone of your own
      </a>
    </Section>
  )
}

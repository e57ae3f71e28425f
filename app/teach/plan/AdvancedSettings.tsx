import { Button } from '../../shared/Button.tsx'
import { resetOptions, useRehearsalPlan } from '../../stores/teach/rehearsalPlan.ts'
import { optionGroups } from '../../stores/teach/options.ts'
import styles from './AdvancedSettings.module.css'
import { OptionField } from './OptionField.tsx'
import asides from '../../shared/Asides.module.css'
import { teachText } from '../../words/teach.ts'
import { optionText } from '../../words/option.ts'

/** All the numbers, in one fold. What a company brings along is not asked for. */
export function AdvancedSettings({ hasStart }: { readonly hasStart: boolean }) {
  const changed = useRehearsalPlan(
    (state) => Object.keys(state.overrides).filter((key) => key !== 'steps').length,
  )
  return (
    <details className={styles.fold}>
      <summary>
        {teachText('advanced')}
        {changed > 0 && <span className={styles.count}>{teachText('advanced.changed', { changed })}</span>}
      </summary>
      <div className={styles.groups}>
        {optionGroups.map(({ id, options }) => {
          const title = optionText(`group.${id}`)
          const shown = options.filter(({ isShape }) => !(isShape && hasStart))
          if (shown.length === 0) return null
          return (
            <section key={id} className={styles.group} aria-label={title}>
              <h3 className={styles.title}>{title}</h3>
              <div className={styles.grid}>
                {shown.map((option) => (
                  <OptionField key={option.key} option={option} />
                ))}
              </div>
            </section>
          )
        })}
        {hasStart && <p className={asides.note}>{teachText('advanced.shape')}</p>}
        {changed > 0 && (
          <div>
            <Button label={teachText('advanced.reset')} icon="again" onClick={resetOptions} />
          </div>
        )}
      </div>
    </details>
  )
}

import { Button } from '../../shared/Button.tsx'
import { setOption, useRehearsalPlan } from '../../stores/teach/rehearsalPlan.ts'
import { valueOf } from '../../stores/teach/config.ts'
import type { OptionValue, TrainingOption } from '../../stores/teach/options.ts'
import { Field } from '../parts/Field.tsx'
import { NumberField } from './NumberField.tsx'
import styles from './OptionField.module.css'
import asides from '../../shared/Asides.module.css'
import { sharedText } from '../../words/shared.ts'
import { optionText } from '../../words/option.ts'
import { locale } from '../../words/catalogue.ts'
import { teachText } from '../../words/teach.ts'

/** One setting of the fold, with its sentence, a mark where it was changed, and the way back. */
export function OptionField({ option }: { readonly option: TrainingOption }) {
  const overrides = useRehearsalPlan((state) => state.overrides)
  const value = valueOf(overrides, option)
  const change = (next: OptionValue): void => setOption(option, next)
  const beside = option.key in overrides && (
    <span className={styles.changed}>
      {teachText('changed')}
      <Button
        label={sharedText('reset', { what: optionText(option.key).toLocaleLowerCase(locale()) })}
        icon="again"
        iconOnly
        look="quiet"
        onClick={() => change(option.initial)}
      />
    </span>
  )
  const common = { label: optionText(option.key), about: optionText(`${option.key}.about`), beside }
  switch (option.kind) {
    case 'number':
      return (
        <NumberField
          {...common}
          value={typeof value === 'number' ? value : null}
          min={option.min}
          max={option.max}
          isWhole={option.isWhole ?? false}
          {...(option.follows && { empty: optionText('follows') })}
          onChange={change}
        />
      )
    case 'choice':
      return <ChoiceField {...common} option={option} value={String(value)} />
    case 'several':
      return <SeveralField option={option} value={Array.isArray(value) ? value : []} beside={beside} />
    case 'text':
      return (
        <Field {...common}>
          {(id, aboutId) => (
            <input
              id={id}
              aria-describedby={aboutId}
              placeholder={optionText('system.hint')}
              maxLength={2000}
              value={String(value)}
              onChange={(event) => change(event.target.value)}
            />
          )}
        </Field>
      )
    default:
      return option satisfies never
  }
}

interface ChoiceFieldProps {
  readonly label: string
  readonly about: string
  readonly beside: React.ReactNode
  readonly option: TrainingOption & { readonly kind: 'choice' }
  readonly value: string
}

/** One of a few. */
function ChoiceField({ option, value, ...common }: ChoiceFieldProps) {
  return (
    <Field {...common}>
      {(id, aboutId) => (
        <select
          id={id}
          aria-describedby={aboutId}
          value={value}
          onChange={(event) => setOption(option, event.target.value)}
        >
          {option.choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {optionText(choice.name)}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface SeveralFieldProps {
  readonly option: TrainingOption & { readonly kind: 'several' }
  readonly value: readonly string[]
  readonly beside: React.ReactNode
}

/** Some of a few, at least one. */
function SeveralField({ option, value, beside }: SeveralFieldProps) {
  const toggle = (name: string): void => {
    const next = option.choices.filter((one) => (one === name ? !value.includes(name) : value.includes(one)))
    if (next.length > 0) setOption(option, next)
  }
  return (
    <fieldset className={styles.several}>
      <legend className={styles.legend}>{optionText(option.key)}</legend>
      {beside}
      <div className={styles.checks}>
        {option.choices.map((choice) => (
          <label key={choice} className={styles.check}>
            <input type="checkbox" checked={value.includes(choice)} onChange={() => toggle(choice)} />
            {choice}
          </label>
        ))}
      </div>
      <p className={asides.note}>{optionText(`${option.key}.about`)}</p>
    </fieldset>
  )
}

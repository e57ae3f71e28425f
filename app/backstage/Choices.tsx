import styles from './Choices.module.css'

interface ChoicesProps<T extends string> {
  readonly label: string
  readonly choices: readonly { readonly value: T; readonly name: string }[]
  readonly value: T
  readonly isDisabled?: boolean
  readonly onChange: (value: T) => void
}

/** One of a few, side by side. */
export function Choices<T extends string>({
  label,
  choices,
  value,
  isDisabled = false,
  onChange,
}: ChoicesProps<T>) {
  return (
    <fieldset className={styles.choices} aria-label={label} disabled={isDisabled}>
      {choices.map((choice) => (
        <label key={choice.value} className={styles.choice}>
          <input
            type="radio"
            name={label}
            checked={choice.value === value}
            onChange={() => onChange(choice.value)}
          />
          <span>{choice.name}</span>
        </label>
      ))}
    </fieldset>
  )
}

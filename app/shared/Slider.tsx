import { useId, useState } from 'react'

import { Button } from './Button.tsx'
import styles from './Slider.module.css'
import asides from './Asides.module.css'
import { sharedText } from '../words/shared.ts'
import { locale } from '../words/catalogue.ts'

interface SliderProps {
  readonly label: string
  readonly about: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly step: number
  /** The value in words, while it stands still. */
  readonly shown?: string
  readonly isDisabled?: boolean
  /** Called when the value is let go. */
  readonly onChange: (value: number) => void
  /** Present where the value differs from what it was at first. */
  readonly onReset?: () => void
}

/** A named slider that says what it does and shows its number. */
export function Slider({
  label,
  about,
  value,
  min,
  max,
  step,
  shown,
  isDisabled = false,
  onChange,
  onReset,
}: SliderProps) {
  const id = useId()
  // While it is dragged the value lives here; it is told once, when it is let go.
  const [dragged, setDragged] = useState<number | null>(null)
  const current = dragged ?? value
  const letGo = (): void => {
    if (dragged !== null && dragged !== value) onChange(dragged)
    setDragged(null)
  }
  return (
    <div className={styles.slider}>
      <div className={styles.head}>
        <label htmlFor={id}>{label}</label>
        <span className={styles.value}>
          {onReset && (
            <Button
              label={sharedText('reset', { what: label.toLocaleLowerCase(locale()) })}
              icon="again"
              iconOnly
              look="quiet"
              onClick={onReset}
            />
          )}
          <output htmlFor={id}>{dragged === null && shown ? shown : format(current, step)}</output>
        </span>
      </div>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={current}
        disabled={isDisabled}
        aria-describedby={`${id}-about`}
        aria-valuetext={shown && dragged === null ? shown : format(current, step)}
        onChange={(event) => setDragged(event.target.valueAsNumber)}
        onPointerUp={letGo}
        onKeyUp={letGo}
        onBlur={letGo}
      />
      <p id={`${id}-about`} className={asides.note}>
        {about}
      </p>
    </div>
  )
}

function format(value: number, step: number): string {
  const digits = Math.max(0, Math.ceil(-Math.log10(step)))
  return value.toFixed(digits)
}

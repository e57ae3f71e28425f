import { useState } from 'react'
import type { ReactNode } from 'react'

import { Field } from '../parts/Field.tsx'

interface NumberFieldProps {
  readonly label: string
  readonly about?: string
  readonly value: number | null
  readonly min: number
  readonly max: number
  readonly isWhole?: boolean
  /** What an empty field stands for; without it an empty field goes back. */
  readonly empty?: string
  readonly beside?: ReactNode
  readonly onChange: (value: number | null) => void
}

/** A number to write. It is taken when it is whole: on Enter, or when the field is left. */
export function NumberField({
  label,
  about,
  value,
  min,
  max,
  isWhole = false,
  empty,
  beside,
  onChange,
}: NumberFieldProps) {
  const [written, setWritten] = useState<string | null>(null)
  const take = (): void => {
    if (written === null) return
    setWritten(null)
    const text = written.trim()
    if (text === '' && empty !== undefined) {
      onChange(null)
      return
    }
    const number = Number(text.replace(',', '.'))
    if (text === '' || !Number.isFinite(number)) return
    const bounded = Math.min(max, Math.max(min, isWhole ? Math.round(number) : number))
    if (bounded !== value) onChange(bounded)
  }
  return (
    <Field label={label} {...(about !== undefined && { about })} beside={beside}>
      {(id, aboutId) => (
        <input
          id={id}
          inputMode={isWhole ? 'numeric' : 'decimal'}
          autoComplete="off"
          aria-describedby={aboutId}
          placeholder={empty}
          value={written ?? (value === null ? '' : String(value))}
          onChange={(event) => setWritten(event.target.value)}
          onBlur={take}
          onKeyDown={(event) => {
            if (event.key === 'Enter') take()
            if (event.key === 'Escape') setWritten(null)
          }}
        />
      )}
    </Field>
  )
}

import type { ButtonHTMLAttributes, Ref } from 'react'

import styles from './Button.module.css'
import { Icon } from './Icon.tsx'
import type { IconName } from './Icon.tsx'

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'className' | 'children'> {
  /** What it does, in a verb; read out and shown, or shown as a tooltip where only the icon is. */
  readonly label: string
  readonly icon?: IconName
  /** Shows the icon alone. */
  readonly iconOnly?: boolean
  readonly look?: 'plain' | 'quiet' | 'strong' | 'danger'
  readonly ref?: Ref<HTMLButtonElement>
}

/** The one button: a verb, an icon, or both. */
export function Button({ label, icon, iconOnly = false, look = 'plain', ref, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      ref={ref}
      className={[styles.button, styles[look], iconOnly ? styles.round : ''].join(' ')}
      aria-label={label}
      {...(iconOnly && { title: rest.title ?? label })}
    >
      {icon && <Icon name={icon} size={iconOnly ? 20 : 18} />}
      {!iconOnly && <span>{label}</span>}
    </button>
  )
}

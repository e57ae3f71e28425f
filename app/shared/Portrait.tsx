import { Icon } from './Icon.tsx'
import type { Accent } from '../../src/cast/face.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { addressOf } from '../stores/company/pictureAddress.ts'
import styles from './Portrait.module.css'

interface PortraitProps {
  readonly member: Pick<CastMember, 'displayName' | 'portrait'> | undefined
  readonly size: 'large' | 'medium' | 'small'
  /** Breathes while its character is thinking. */
  readonly isThinking?: boolean
}

/** A character's face. It says nothing to a screen reader: the name is always beside it. */
export function Portrait({ member, size, isThinking = false }: PortraitProps) {
  return (
    <span className={[styles.portrait, styles[size], isThinking ? styles.thinking : ''].join(' ')}>
      {member?.portrait ? (
        <img src={addressOf(member.portrait)} alt="" draggable={false} />
      ) : (
        <span className={styles.initial} aria-hidden="true">
          {member ? member.displayName.charAt(0) : <Icon name="nobody" size={24} />}
        </span>
      )}
    </span>
  )
}

/** What gives a part of the page a role's colour. */
export function accentProps(accent: Accent | undefined): {
  readonly 'data-accent'?: ''
  readonly style?: Readonly<Record<`--${string}`, string>>
} {
  if (!accent) return {}
  return { 'data-accent': '', style: { '--accent-light': accent.light, '--accent-dark': accent.dark } }
}

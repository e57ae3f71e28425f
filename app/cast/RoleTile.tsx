import { Icon } from '../shared/Icon.tsx'
import type { CastMember } from './castMember.ts'
import { accentProps, Portrait } from './Portrait.tsx'
import styles from './RoleTile.module.css'

interface RoleTileProps {
  readonly member: CastMember
  readonly onOpen: () => void
}

/** One character of the gallery. The whole tile is the button. */
export function RoleTile({ member, onOpen }: RoleTileProps) {
  return (
    <li className={styles.item} {...accentProps(member.accent)}>
      <button
        type="button"
        className={styles.tile}
        aria-label={`Talk to ${member.displayName}`}
        onClick={onOpen}
      >
        <Portrait member={member} size="large" />
        <span className={styles.name}>
          {member.displayName}
          {member.isTrained && (
            <span className={styles.trained} title="Played by trained weights, not only by a description">
              <Icon name="trained" size={14} />
            </span>
          )}
        </span>
        {member.line && <span className={styles.line}>{member.line}</span>}
      </button>
    </li>
  )
}

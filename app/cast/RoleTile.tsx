import { Icon } from '../shared/Icon.tsx'
import hidden from '../shared/VisuallyHidden.module.css'
import type { CastMember } from './castMember.ts'
import { accentProps, Portrait } from './Portrait.tsx'
import styles from './RoleTile.module.css'

interface RoleTileProps {
  readonly member: CastMember
  readonly onOpen: () => void
}

/** One character of the gallery. The button covers the whole tile. */
export function RoleTile({ member, onOpen }: RoleTileProps) {
  return (
    <li className={styles.item} {...accentProps(member.accent)}>
      <button type="button" className={styles.tile} onClick={onOpen}>
        <span className={styles.picture}>
          <Portrait member={member} size="large" />
          {member.isTrained && (
            <span className={styles.trained} title="Played by trained weights, not only by a description">
              <Icon name="trained" size={16} />
            </span>
          )}
        </span>
        <span className={styles.name}>
          <span className={hidden.hidden}>Talk to </span>
          {member.displayName}
        </span>
      </button>
      {member.line && <p className={styles.line}>{member.line}</p>}
    </li>
  )
}

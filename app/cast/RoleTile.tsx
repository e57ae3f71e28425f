import { Button } from '../shared/Button.tsx'
import { Icon } from '../shared/Icon.tsx'
import hidden from '../shared/VisuallyHidden.module.css'
import { setFavourite, useSettings } from '../stores/page/settings.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { removeGuest } from '../stores/company/guests.ts'
import { openShare } from '../stores/exchange/share.ts'
import { isForAnotherModel } from '../../src/cast/member.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import styles from './RoleTile.module.css'
import { castText } from '../words/cast.ts'
import { Rich } from '../shared/Rich.tsx'
import { sharedText } from '../words/shared.ts'

interface RoleTileProps {
  readonly member: CastMember
  /** Whether it can be put first, which helps among many. */
  readonly canPrefer: boolean
  readonly onOpen: () => void
}

/** One character of the gallery. The button covers the whole tile. */
export function RoleTile({ member, canPrefer, onOpen }: RoleTileProps) {
  const isFavourite = useSettings(({ favourites }) => favourites.includes(member.key))
  return (
    <li className={styles.item} {...accentProps(member.accent)}>
      <button type="button" className={styles.tile} onClick={onOpen}>
        <span className={styles.picture}>
          <Portrait member={member} size="large" />
          {member.isTrained && (
            <span className={styles.trained} title={castText('role.trained')}>
              <Icon name="trained" size={16} />
            </span>
          )}
        </span>
        <span className={styles.name}>
          <Rich
            text={castText('role.talkTo', { name: member.displayName })}
            tags={{ hidden: <span className={hidden.hidden} />, name: <bdi /> }}
          />
          {canPrefer && isFavourite && (
            <span className={styles.favourite} title={castText('role.isFirst')}>
              <Icon name="heart" size={16} />
            </span>
          )}
        </span>
      </button>
      <Origin member={member} />
      {member.line && (
        // Whoever came with the page speaks English, whatever the page does.
        <p className={styles.line} dir="auto" lang={member.guest ? undefined : 'en'}>
          {member.line}
        </p>
      )}
      <span className={styles.actions}>
        {canPrefer && (
          <Button
            label={castText('role.first', { displayName: member.displayName })}
            icon="heart"
            iconOnly
            aria-pressed={isFavourite}
            onClick={() => setFavourite(member.key, !isFavourite)}
          />
        )}
        <Button
          label={castText('role.share', { displayName: member.displayName })}
          icon="share"
          iconOnly
          onClick={() => void openShare({ kind: 'member', member })}
        />
        {member.guest && (
          <Button
            label={castText('role.away', { displayName: member.displayName })}
            icon="bin"
            iconOnly
            onClick={() => void removeGuest(member)}
          />
        )}
      </span>
    </li>
  )
}

/** Where somebody comes from who did not come with the model, and on what they play where that is not loaded. */
function Origin({ member: { guest } }: { readonly member: CastMember }) {
  const info = useEngine((state) => state.info)
  if (!guest) return null
  return (
    <p className={styles.origin}>
      {describeOrigin(guest)}
      {isForAnotherModel(guest.backbone, info) &&
        castText('role.playsOn', { name: guest.backbone?.name || sharedText('anotherModel') })}
    </p>
  )
}

function describeOrigin({ origin }: NonNullable<CastMember['guest']>): string {
  switch (origin.kind) {
    case 'taught':
      return castText('role.taught')
    case 'blended':
      return castText('role.blended')
    case 'brought':
      return castText('role.brought', { fileName: origin.fileName })
    case 'card':
      return castText('role.card', { fileName: origin.fileName })
    default:
      return origin satisfies never
  }
}

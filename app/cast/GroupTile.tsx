import { Icon } from '../shared/Icon.tsx'
import { routeHash } from '../stores/page/route.ts'
import tile from './RoleTile.module.css'
import styles from './TeachTile.module.css'
import { castText } from '../words/cast.ts'
import { sharedText } from '../words/shared.ts'

/** A quiet tile: several of those who are here, in one chat. */
export function GroupTile() {
  return (
    <li className={tile.item}>
      <a className={[tile.tile, styles.link].join(' ')} href={routeHash({ screen: 'group' })}>
        <span className={styles.picture}>
          <Icon name="several" size={32} />
        </span>
        <span className={styles.name}>{sharedText('screen.group')}</span>
      </a>
      <p className={styles.line}>{castText('group.line')}</p>
    </li>
  )
}

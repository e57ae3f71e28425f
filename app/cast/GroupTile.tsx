import { Icon } from '../shared/Icon.tsx'
import { routeHash } from '../stores/page/route.ts'
import tile from './RoleTile.module.css'
import styles from './TeachTile.module.css'

/** A quiet tile: several of those who are here, in one chat. */
export function GroupTile() {
  return (
    <li className={tile.item}>
      <a className={[tile.tile, styles.link].join(' ')} href={routeHash({ screen: 'group' })}>
        <span className={styles.picture}>
          <Icon name="several" size={32} />
        </span>
        <span className={styles.name}>Several at once</span>
      </a>
      <p className={styles.line}>Two to eight, who hear each other too.</p>
    </li>
  )
}

import { Icon } from '../shared/Icon.tsx'
import { routeHash } from '../stores/page/route.ts'
import styles from './TeachTile.module.css'

/** A quiet tile: somebody between those who are here. */
export function BlendTile() {
  return (
    <li className={styles.item}>
      <a className={styles.tile} href={routeHash({ screen: 'blend' })}>
        <span className={styles.picture}>
          <Icon name="blend" size={32} />
        </span>
        <span className={styles.name}>Somebody between</span>
      </a>
      <p className={styles.line}>Half of one, half of another, and no harm done.</p>
    </li>
  )
}

import { Icon } from '../shared/Icon.tsx'
import { routeHash } from '../stores/page/route.ts'
import tile from './RoleTile.module.css'
import styles from './TeachTile.module.css'
import { castText } from '../words/cast.ts'
import { sharedText } from '../words/shared.ts'

/** A quiet tile: somebody between those who are here. */
export function BlendTile() {
  return (
    <li className={tile.item}>
      <a className={[tile.tile, styles.link].join(' ')} href={routeHash({ screen: 'blend' })}>
        <span className={styles.picture}>
          <Icon name="blend" size={32} />
        </span>
        <span className={styles.name}>{sharedText('screen.blend')}</span>
      </a>
      <p className={styles.line}>{castText('blend.line')}</p>
    </li>
  )
}

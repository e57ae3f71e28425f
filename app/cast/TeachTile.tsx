import { Icon } from '../shared/Icon.tsx'
import { routeHash } from '../stores/page/route.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { lastStep } from '../stores/teach/progress.ts'
import tile from './RoleTile.module.css'
import styles from './TeachTile.module.css'
import { sharedText } from '../words/shared.ts'
import { castText } from '../words/cast.ts'

/** The last tile of the gallery, a quiet one: somebody who is not there yet. */
export function TeachTile() {
  const line = useTraining((state) => {
    const name = state.run?.trial.role
    if (!name || state.phase === 'none') return castText('teach.line')
    if (isTraining(state)) return castText('teach.rehearsing', { name })
    if (state.phase === 'finished') return castText('teach.ready', { name })
    return castText('teach.waits', { name, step: state.keptStep ?? lastStep(state.history) })
  })
  return (
    <li className={tile.item}>
      <a className={[tile.tile, styles.link].join(' ')} href={routeHash({ screen: 'teach' })}>
        <span className={styles.picture}>
          <Icon name="plus" size={32} />
        </span>
        <span className={styles.name}>{sharedText('screen.teach')}</span>
      </a>
      <p className={styles.line}>{line}</p>
    </li>
  )
}

import { Icon } from '../shared/Icon.tsx'
import { count } from '../shared/format.ts'
import { routeHash } from '../stores/page/route.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import { lastStep } from '../stores/teach/progress.ts'
import tile from './RoleTile.module.css'
import styles from './TeachTile.module.css'

/** The last tile of the gallery, a quiet one: somebody who is not there yet. */
export function TeachTile() {
  const line = useTraining((state) => {
    const name = state.run?.trial.role
    if (!name || state.phase === 'none') return 'Twenty lines are enough to begin.'
    if (isTraining(state)) return `${name} is rehearsing.`
    if (state.phase === 'finished') return `${name} is ready for the first night.`
    return `${name} waits at step ${count(state.keptStep ?? lastStep(state.history))}.`
  })
  return (
    <li className={tile.item}>
      <a className={[tile.tile, styles.link].join(' ')} href={routeHash({ screen: 'teach' })}>
        <span className={styles.picture}>
          <Icon name="plus" size={32} />
        </span>
        <span className={styles.name}>Someone of your own</span>
      </a>
      <p className={styles.line}>{line}</p>
    </li>
  )
}

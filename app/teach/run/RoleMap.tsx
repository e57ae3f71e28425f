import type { RunHistory } from '../../../src/storage/runs.ts'
import { HeatMap } from './HeatMap.tsx'
import styles from './RoleMap.module.css'
import { RolePlane } from './RolePlane.tsx'
import asides from '../../shared/Asides.module.css'
import { runText } from '../../words/run.ts'

interface RoleMapProps {
  readonly map: RunHistory['map']
  /** Who is being taught. */
  readonly taught: string
}

/** How far apart the roles are as the weights have them now: every pair, and all on one plane. */
export function RoleMap({ map, taught }: RoleMapProps) {
  if (!map) return null
  const { cosines, points, alike, isShared, step } = map
  const names = map.names.map(shown)
  if (names.length < 2) {
    return <p className={asides.note}>{runText('map.alone')}</p>
  }
  if (isShared) {
    return <p className={asides.note}>{runText('map.shared')}</p>
  }
  return (
    <section className={styles.map} aria-label={runText('map')}>
      <h3 className={styles.title}>{runText('map.title', { step })}</h3>
      {/* Before the first step a newcomer is the mean of the others, which is no fault of the rehearsal. */}
      {alike && step > 0 && (
        <p className={styles.warning} role="status">
          {runText('map.alike', { one: shown(alike[0]), other: shown(alike[1]) })}
        </p>
      )}
      <div className={styles.pictures}>
        <HeatMap names={names} cosines={cosines} />
        <RolePlane names={names} points={points} taught={shown(taught)} />
      </div>
    </section>
  )
}

function shown(name: string): string {
  return name.replaceAll('_', ' ')
}

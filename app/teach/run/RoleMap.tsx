import type { RunHistory } from '../../../src/storage/runs.ts'
import { HeatMap } from './HeatMap.tsx'
import styles from './RoleMap.module.css'
import { RolePlane } from './RolePlane.tsx'
import asides from '../../shared/Asides.module.css'

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
    return (
      <p className={asides.note}>
        One character alone has nobody to be told apart from; with two or more, a map of them stands here.
      </p>
    )
  }
  if (isShared) {
    return (
      <p className={asides.note}>
        These characters share both A and B, and so are one. To let them differ, give each its own A under
        Advanced settings, or have it generated, and begin again.
      </p>
    )
  }
  return (
    <section className={styles.map} aria-label="Map of characters">
      <h3 className={styles.title}>Who is like whom, at step {step}</h3>
      {/* Before the first step a newcomer is the mean of the others, which is no fault of the rehearsal. */}
      {alike && step > 0 && (
        <p className={styles.warning} role="status">
          {shown(alike[0])} and {shown(alike[1])} can hardly be told apart. Give HCL more weight under
          Advanced settings, or lower the learning rate, and begin again.
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

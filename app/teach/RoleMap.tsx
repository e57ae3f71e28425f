import type { RoleMapPoint } from '../../src/storage/runs.ts'
import { HeatMap } from './HeatMap.tsx'
import styles from './RoleMap.module.css'
import { RolePlane } from './RolePlane.tsx'

/** How far apart the roles are as the weights have them now: every pair, and all on one plane. */
export function RoleMap({ map }: { readonly map: RoleMapPoint | null }) {
  if (!map) return null
  const { names, cosines, points, isCollapsed, step } = map
  if (names.length < 2) {
    return (
      <p className={styles.alone}>
        One character alone has nobody to be told apart from; with two or more, a map of them stands here.
      </p>
    )
  }
  return (
    <section className={styles.map} aria-label="Map of roles">
      <h3 className={styles.title}>Who is like whom, at step {step}</h3>
      {isCollapsed && (
        <p className={styles.warning} role="status">
          The characters have become nearly the same. Give HCL more weight under Advanced settings, or lower
          the learning rate, and begin again.
        </p>
      )}
      <div className={styles.pictures}>
        <HeatMap names={names} cosines={cosines} />
        <RolePlane names={names} points={points} />
      </div>
    </section>
  )
}

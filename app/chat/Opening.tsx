import type { CastMember } from '../../src/cast/member.ts'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import styles from './Opening.module.css'

/** The character comes on stage: shown until the visitor has said something. */
export function Opening({ member }: { readonly member: CastMember | undefined }) {
  if (!member) {
    return (
      <div className={styles.opening}>
        <p className={styles.line}>Nobody plays here: these are the bare words of the model.</p>
      </div>
    )
  }
  return (
    <div className={styles.opening} {...accentProps(member.accent)}>
      <div className={styles.portrait}>
        <Portrait member={member} size="large" />
      </div>
    </div>
  )
}

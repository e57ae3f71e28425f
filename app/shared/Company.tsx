import type { GroupMember } from '../../src/storage/records.ts'
import { findMember, useCast } from '../stores/company/cast.ts'
import styles from './Company.module.css'
import { Portrait } from './Portrait.tsx'

/** Faces that find room in one picture. */
const MOST_FACES = 4

/** Several who play in a chat, in the place of one portrait. */
export function Company({ members }: { readonly members: readonly Pick<GroupMember, 'key' | 'name'>[] }) {
  const cast = useCast((state) => state.members)
  return (
    <span className={styles.company}>
      {members.slice(0, MOST_FACES).map(({ key, name }) => (
        <Portrait
          key={key ?? name}
          member={findMember(cast, key) ?? { displayName: name, portrait: null }}
          size="large"
        />
      ))}
    </span>
  )
}

import type { GroupArrival } from '../../src/exchange/arrival.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { GROUP_SIZE } from '../../src/storage/chatGroup.ts'
import { nameInFile } from '../../src/storage/groupFiles.ts'
import { chatsOf } from '../stores/exchange/arrivedChats.ts'
import { useArrivals } from '../stores/exchange/arrivals.ts'
import styles from './ArrivalSheet.module.css'
import asides from '../shared/Asides.module.css'

/** Who is in a group, and what comes of it. */
export function GroupFacts({ arrival }: { readonly arrival: GroupArrival }) {
  const entries = useArrivals((state) => state.entries)
  const { name, members } = arrival.group
  const kept = members.slice(0, GROUP_SIZE.most).map((file) => plainName(nameInFile(file)))
  const others = members.length - kept.length
  return (
    <>
      <header className={styles.head}>
        <h3 className={styles.name}>
          <bdi>{name === '' ? arrival.fileName : plainName(name)}</bdi>
        </h3>
        <p className={asides.quiet}>A group, from SillyTavern: {kept.join(', ')}</p>
      </header>
      {others > 0 && (
        <p>Eight find room in a chat: {others === 1 ? 'one more is' : `${others} more are`} left out.</p>
      )}
      <p>
        {chatsOf(arrival, entries)
          ? 'Their chat came too, and opens with them.'
          : 'It opens as a new chat with those who are here.'}
      </p>
    </>
  )
}

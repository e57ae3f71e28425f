import type { GroupArrival } from '../../src/exchange/arrival.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { GROUP_SIZE } from '../../src/storage/chatGroup.ts'
import { nameInFile } from '../../src/storage/groupFiles.ts'
import { chatsOf } from '../stores/exchange/arrivedChats.ts'
import { useArrivals } from '../stores/exchange/arrivals.ts'
import styles from './ArrivalSheet.module.css'
import asides from '../shared/Asides.module.css'
import { arrivalsText } from '../words/arrivals.ts'
import { list } from '../shared/format.ts'

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
        <p className={asides.quiet}>{arrivalsText('group', { kept: list(kept) })}</p>
      </header>
      {others > 0 && <p>{arrivalsText('group.tooMany', { others })}</p>}
      <p>{chatsOf(arrival, entries) ? arrivalsText('group.withChat') : arrivalsText('group.new')}</p>
    </>
  )
}

import type { KeptPack } from '../../../src/storage/packLibrary.ts'
import { Button } from '../../shared/Button.tsx'
import { bytes, day } from '../../shared/format.ts'
import { removePack, useGuests } from '../../stores/company/guests.ts'
import { openShare } from '../../stores/exchange/share.ts'
import styles from './Library.module.css'
import { teachText } from '../../words/teach.ts'
import { list } from '../../shared/format.ts'

/** The packs that are kept here. */
export function Library() {
  const packs = useGuests((state) => state.packs)
  if (packs.length === 0) return null
  return (
    <section className={styles.library} aria-labelledby="kept-companies">
      <h3 id="kept-companies" className={styles.title}>
        {teachText('library')}
      </h3>
      <ul>
        {packs.map((pack) => (
          <PackRow key={pack.id} pack={pack} />
        ))}
      </ul>
    </section>
  )
}

function PackRow({ pack }: { readonly pack: KeptPack }) {
  const { name, roles, addedAt, backbone } = pack
  return (
    <li className={styles.row}>
      <span className={styles.words}>
        <span className={styles.name}>{name}</span>
        <span className={styles.facts}>
          {teachText('library.facts', {
            roles: list(roles.map((role) => role.name.replaceAll('_', ' '))),
            backbone: backbone.name,
            size: bytes(pack.bytes),
            added: day(addedAt),
          })}
        </span>
      </span>
      <Button
        label={teachText('library.share', { name })}
        icon="share"
        iconOnly
        look="quiet"
        onClick={() => void openShare({ kind: 'pack', pack })}
      />
      <Button
        label={teachText('library.remove', { name })}
        icon="bin"
        iconOnly
        look="quiet"
        onClick={() => void removePack(pack)}
      />
    </li>
  )
}

import type { KeptPack } from '../../src/storage/packLibrary.ts'
import { Button } from '../shared/Button.tsx'
import { bytes, day } from '../shared/format.ts'
import { chooseCompany, removePack, saveKeptPack, useCompany } from '../stores/company.ts'
import { useEngine } from '../stores/engine.ts'
import { useSettings } from '../stores/settings.ts'
import { isTraining, useTraining } from '../stores/training.ts'
import styles from './Library.module.css'

/** The packs that are kept here, and which company plays. */
export function Library() {
  const packs = useCompany((state) => state.packs)
  const company = useSettings((state) => state.company)
  const isReady = useEngine((state) => state.phase === 'ready' || state.phase === 'failed')
  const isBusy = useTraining(isTraining)
  if (packs.length === 0) return null
  const canChoose = isReady && !isBusy
  return (
    <section className={styles.library} aria-labelledby="kept-companies">
      <h3 id="kept-companies" className={styles.title}>
        Companies on this device
      </h3>
      <ul>
        <li className={styles.row}>
          <span className={styles.words}>
            <span className={styles.name}>The company that came with the model</span>
          </span>
          <PlayButton
            name="the company that came with the model"
            isPlaying={company === null}
            isDisabled={!canChoose}
            onPlay={() => void chooseCompany(null)}
          />
        </li>
        {packs.map((pack) => (
          <PackRow key={pack.id} pack={pack} isPlaying={company === pack.id} canChoose={canChoose} />
        ))}
      </ul>
    </section>
  )
}

interface PackRowProps {
  readonly pack: KeptPack
  readonly isPlaying: boolean
  readonly canChoose: boolean
}

function PackRow({ pack, isPlaying, canChoose }: PackRowProps) {
  const { name, roles, addedAt, backbone } = pack
  return (
    <li className={styles.row}>
      <span className={styles.words}>
        <span className={styles.name}>{name}</span>
        <span className={styles.facts}>
          {roles.map((role) => role.name.replaceAll('_', ' ')).join(', ')} · on {backbone.name} ·{' '}
          {bytes(pack.bytes)} · {day(addedAt)}
        </span>
      </span>
      <PlayButton
        name={name}
        isPlaying={isPlaying}
        isDisabled={!canChoose}
        onPlay={() => void chooseCompany(pack.id)}
      />
      <Button
        label={`Save ${name} to a file`}
        icon="out"
        iconOnly
        look="quiet"
        onClick={() => void saveKeptPack(pack)}
      />
      <Button
        label={`Remove ${name}`}
        icon="bin"
        iconOnly
        look="quiet"
        disabled={isPlaying && !canChoose}
        onClick={() => void removePack(pack)}
      />
    </li>
  )
}

interface PlayButtonProps {
  readonly name: string
  readonly isPlaying: boolean
  readonly isDisabled: boolean
  readonly onPlay: () => void
}

function PlayButton({ name, isPlaying, isDisabled, onPlay }: PlayButtonProps) {
  if (isPlaying) return <span className={styles.playing}>plays now</span>
  return <Button label="Let them play" title={`Let ${name} play`} disabled={isDisabled} onClick={onPlay} />
}

import { useId } from 'react'

import { Button } from '../shared/Button.tsx'
import { useGeneration } from '../stores/chat/generation.ts'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import { Section } from './Section.tsx'
import styles from './SeedRow.module.css'
import asides from '../shared/Asides.module.css'
import { backstageText } from '../words/backstage.ts'

/** The seed of the dice: seen after each answer, and locked to have the same answer again. */
export function SeedRow() {
  const locked = useSettings((state) => state.lockedSeed)
  const last = useGeneration((state) => state.lastSeed)
  const id = useId()
  const isLocked = locked !== null
  return (
    <Section title={backstageText('seed')}>
      <div className={styles.row}>
        <label htmlFor={id}>{backstageText('seed.number')}</label>
        <input
          id={id}
          className={styles.seed}
          type="number"
          min={0}
          max={4_294_967_295}
          step={1}
          value={locked ?? last ?? ''}
          placeholder={backstageText('seed.hint')}
          readOnly={!isLocked}
          onChange={(event) => changeSettings({ lockedSeed: readSeed(event.target.valueAsNumber) })}
        />
        <Button
          label={isLocked ? backstageText('seed.unlock') : backstageText('seed.lock')}
          icon={isLocked ? 'lock' : 'unlock'}
          iconOnly
          look="quiet"
          aria-pressed={isLocked}
          onClick={() => changeSettings({ lockedSeed: isLocked ? null : (last ?? 1) })}
        />
      </div>
      <p className={asides.note}>{isLocked ? backstageText('seed.locked') : backstageText('seed.free')}</p>
    </Section>
  )
}

function readSeed(value: number): number {
  return Number.isFinite(value) ? Math.min(4_294_967_295, Math.max(0, Math.floor(value))) : 0
}

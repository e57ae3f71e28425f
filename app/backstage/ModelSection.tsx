import { lazy, Suspense, useEffect, useState } from 'react'

import type { ServedBackbone } from '../../src/storage/manifest.ts'
import { isOwn } from '../../src/storage/ownModels.ts'
import type { OwnBackbone } from '../../src/storage/ownModels.ts'
import { downloadBytes } from '../../src/storage/manifest.ts'
import { Button } from '../shared/Button.tsx'
import { bytes } from '../shared/format.ts'
import { chooseBackbone, sendsWholeCard, useEngine } from '../stores/engine/engine.ts'
import { countKept, freeModel, useModelFiles } from '../stores/engine/modelFiles.ts'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import styles from './ModelSection.module.css'
import { Choices } from './Choices.tsx'
import { removeModel } from './removeModel.ts'
import { Section } from './Section.tsx'
import asides from '../shared/Asides.module.css'

/** Looked at by those who want another model alone. */
const AddModel = lazy(() => import('./AddModel.tsx'))

/** Which model speaks, and the room that each takes on this device. */
export function ModelSection() {
  const backbones = useEngine((state) => state.backbones)
  const shortage = useEngine((state) => state.shortage)
  const wanted = useSettings((state) => state.backbone)
  const isRehearsing = useTraining(isTraining)
  const [isAdding, setIsAdding] = useState(false)
  const chosen = backbones.find(({ id }) => id === wanted) ?? backbones[0]
  useEffect(() => {
    void countKept(backbones)
  }, [backbones])
  if (!chosen) return null
  return (
    <Section title="Model">
      <fieldset className={styles.models} disabled={isRehearsing} aria-label="Model">
        {backbones.map((backbone) => (
          <ModelChoice key={backbone.id} backbone={backbone} isChosen={backbone === chosen} />
        ))}
      </fieldset>
      {!isRehearsing && (
        <div>
          <Button
            label="Another model"
            icon="plus"
            aria-expanded={isAdding}
            onClick={() => setIsAdding(!isAdding)}
          />
        </div>
      )}
      {isAdding && !isRehearsing && (
        <Suspense>
          <AddModel />
        </Suspense>
      )}
      <CardChoice />
      {isRehearsing && <p className={asides.note}>The model stays while a rehearsal runs.</p>}
      {shortage && (
        <p className={asides.note}>
          There was no room to keep all of the model: {bytes(shortage.neededBytes)} more are needed, and the
          browser counts {bytes(shortage.freeBytes)} as free. It plays now, and the rest is fetched again next
          time. Free the space of a model that you do not need, or some space on this device.
        </p>
      )}
    </Section>
  )
}

const cardTexts = [
  { value: 'auto', name: 'What it holds' },
  { value: 'line', name: 'A line' },
  { value: 'card', name: 'All of it' },
] as const

/** How much of a card is told to the model where nobody was trained. */
function CardChoice() {
  const value = useSettings((state) => state.cardText)
  const info = useEngine((state) => state.info)
  return (
    <div>
      <p className={asides.quiet}>
        What it is told of cards, of those who were not trained on them, and of lorebooks and notes:
      </p>
      <Choices
        label="Of a card"
        choices={cardTexts}
        value={value}
        onChange={(cardText) => changeSettings({ cardText })}
      />
      {info && value === 'auto' && (
        <p className={asides.note}>
          Now: {sendsWholeCard() ? 'all of it' : 'a line, since small models get lost in a card'}.
        </p>
      )}
    </div>
  )
}

interface ModelChoiceProps {
  readonly backbone: ServedBackbone
  readonly isChosen: boolean
}

function ModelChoice({ backbone, isChosen }: ModelChoiceProps) {
  const kept = useModelFiles((state) => state.kept[backbone.id] ?? 0)
  const isLoading = useEngine((state) => state.phase === 'starting' || state.phase === 'loading')
  const { id, name, description, licence } = backbone
  const size = isOwn(backbone) ? backbone.own.bytes : downloadBytes(backbone)
  return (
    <div className={styles.model}>
      <label className={styles.choice}>
        <input
          type="radio"
          name="model"
          aria-label={name}
          aria-describedby={`model-${id}`}
          checked={isChosen}
          onChange={() => void chooseBackbone(id)}
        />
        <span>{name}</span>
        <span className={styles.size}>{bytes(size)}</span>
      </label>
      <div className={styles.about} id={`model-${id}`}>
        {description && <p>{description}</p>}
        <p>
          {licence && `Licence: ${licence}. `}
          {isOwn(backbone) ? describePlace(backbone, kept, size) : describeKept(kept, size)}
        </p>
      </div>
      {isOwn(backbone) && (
        <Button
          label={`Remove ${name}`}
          disabled={isChosen && isLoading}
          onClick={() => void removeModel(backbone)}
        />
      )}
      {kept > 0 && !isOwn(backbone) && (
        <Button
          label={`Free the ${bytes(kept)} of ${name}`}
          disabled={isChosen && isLoading}
          onClick={() => void freeModel(backbone, useEngine.getState().backbones)}
        />
      )}
    </div>
  )
}

/** Where a model lies that was brought. */
function describePlace({ own }: OwnBackbone, kept: number, size: number): string {
  const { place } = own
  if (place.kind === 'hub') return `From ${place.hub}. ${describeKept(kept, size)}`
  return place.kind === 'copy'
    ? 'A copy of your folder lies in this browser.'
    : `Read in your folder ${place.folder.name}.`
}

function describeKept(kept: number, size: number): string {
  if (kept === 0) return 'Not on this device.'
  return kept < size ? `${bytes(kept)} of it are on this device.` : 'On this device.'
}

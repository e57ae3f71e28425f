import { lazy, Suspense, useEffect, useState } from 'react'

import type { ServedBackbone } from '../../src/storage/manifest.ts'
import { isOwn } from '../../src/storage/ownModels.ts'
import type { OwnBackbone } from '../../src/storage/ownModels.ts'
import { downloadBytes } from '../../src/storage/manifest.ts'
import { Button } from '../shared/Button.tsx'
import { Detail } from '../shared/Detail.tsx'
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
import { backstageText } from '../words/backstage.ts'

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
    <Section title={backstageText('model')}>
      <fieldset className={styles.models} disabled={isRehearsing} aria-label={backstageText('model')}>
        {backbones.map((backbone) => (
          <ModelChoice key={backbone.id} backbone={backbone} isChosen={backbone === chosen} />
        ))}
      </fieldset>
      {!isRehearsing && (
        <div>
          <Button
            label={backstageText('model.another')}
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
      {isRehearsing && <p className={asides.note}>{backstageText('model.stays')}</p>}
      {shortage && (
        <p className={asides.note}>
          {backstageText('model.shortage', {
            needed: bytes(shortage.neededBytes),
            free: bytes(shortage.freeBytes),
          })}
        </p>
      )}
    </Section>
  )
}

const cardTexts = ['auto', 'line', 'card'] as const

/** How much of a card is told to the model where nobody was trained. */
function CardChoice() {
  const value = useSettings((state) => state.cardText)
  const info = useEngine((state) => state.info)
  return (
    <div className={styles.card}>
      <p className={asides.quiet}>{backstageText('model.card.about')}</p>
      <Choices
        label={backstageText('model.card')}
        choices={cardTexts.map((one) => ({ value: one, name: backstageText(`model.card.${one}`) }))}
        value={value}
        onChange={(cardText) => changeSettings({ cardText })}
      />
      {info && value === 'auto' && (
        <p className={asides.note}>
          {backstageText(sendsWholeCard() ? 'model.card.nowAll' : 'model.card.nowLine')}
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
  const isPackListed = useEngine((state) => state.isPackListed)
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
        {description && (
          <p>
            <Detail detail={description} />
          </p>
        )}
        <p>
          {licence && `${backstageText('model.licence', { licence })} `}
          {isOwn(backbone) ? describePlace(backbone, kept, size) : describeKept(kept, size)}
          {isChosen && isPackListed && ` ${backstageText('model.packListed')}`}
        </p>
      </div>
      {isOwn(backbone) && (
        <Button
          label={backstageText('model.remove', { name })}
          disabled={isChosen && isLoading}
          onClick={() => void removeModel(backbone)}
        />
      )}
      {kept > 0 && !isOwn(backbone) && (
        <Button
          label={backstageText('model.free', { size: bytes(kept), name })}
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
  if (place.kind === 'hub')
    return backstageText('model.from', { hub: place.hub, kept: describeKept(kept, size) })
  if (place.kind === 'address')
    return backstageText('model.address', { address: place.address, kept: describeKept(kept, size) })
  return place.kind === 'copy'
    ? backstageText('model.copy')
    : backstageText('model.folder', { name: place.folder.name })
}

function describeKept(kept: number, size: number): string {
  if (kept === 0) return backstageText('model.notHere')
  return kept < size ? backstageText('model.partly', { size: bytes(kept) }) : backstageText('model.here')
}

import { useEffect, useState } from 'react'

import type { ServedBackbone } from '../../src/storage/manifest.ts'
import { chosenFiles } from '../shared/droppedFiles.ts'
import { isOwn } from '../../src/storage/ownModels.ts'
import { Button } from '../shared/Button.tsx'
import { FileButton } from '../shared/FileButton.tsx'
import { bytes } from '../shared/format.ts'
import { receiveFiles } from '../stores/exchange/arrivals.ts'
import { eraseAllChats } from '../stores/chat/chats.ts'
import { useEngine } from '../stores/engine/engine.ts'
import {
  askToKeep,
  countHousehold,
  eraseCharacters,
  eraseEverything,
  saveBackup,
  useHousekeeping,
} from '../stores/exchange/housekeeping.ts'
import type { Household } from '../stores/exchange/housekeeping.ts'
import { freeModel } from '../stores/engine/modelFiles.ts'
import { discardTraining, isTraining, useTraining } from '../stores/teach/training.ts'
import { Section } from './Section.tsx'
import { removeModel } from './removeModel.ts'
import { useOffline } from '../stores/page/offline.ts'
import styles from './StorageSection.module.css'
import asides from '../shared/Asides.module.css'
import { backstageText } from '../words/backstage.ts'

/** What lies on this device, by kind; one file of it, and its end. */
export function StorageSection() {
  const { household, isPacking } = useHousekeeping()
  const backbones = useEngine((state) => state.backbones)
  const isRehearsing = useTraining(isTraining)
  const opensAlone = useOffline((state) => state.isKept)
  useEffect(() => {
    void countHousehold(backbones)
  }, [backbones])
  if (!household) return null
  return (
    <Section title={backstageText('storage')}>
      <ul className={styles.rows}>
        {rowsOf(household, backbones).map((row) => (
          <Row
            key={row.kind}
            {...row}
            isLocked={isRehearsing && row.kind === 'rehearsal'}
            erase={async () => {
              await row.erase()
              await countHousehold(backbones)
            }}
          />
        ))}
      </ul>
      <p className={asides.note}>
        {backstageText(household.isKept ? 'storage.kept' : 'storage.loose', {
          free: bytes(household.freeBytes),
        })}
        {opensAlone && ` ${backstageText('storage.alone')}`}
      </p>
      <div className={styles.buttons}>
        {!household.isKept && (
          <Button
            label={backstageText('storage.ask')}
            icon="lock"
            onClick={() => void askToKeep(backbones)}
          />
        )}
        <Button
          label={isPacking ? backstageText('storage.packing') : backstageText('storage.backup')}
          icon="out"
          disabled={isPacking}
          onClick={() => void saveBackup()}
        />
        <PutBack />
      </div>
      <p className={asides.note}>{backstageText('storage.backup.about')}</p>
      <Confirmed
        label={backstageText('storage.eraseAll')}
        question={backstageText('storage.eraseAll.ask')}
        act={eraseEverything}
      />
    </Section>
  )
}

/** What lies here by kind, with what ends it. */
function rowsOf(household: Household, backbones: readonly ServedBackbone[]): readonly Kept[] {
  return [
    {
      kind: 'models',
      size: household.models,
      async erase() {
        for (const backbone of backbones) {
          if (isOwn(backbone) && backbone.own.place.kind === 'copy') await removeModel(backbone)
          else await freeModel(backbone, backbones)
        }
      },
    },
    {
      kind: 'characters',
      size: household.characters,
      erase: eraseCharacters,
    },
    { kind: 'chats', size: household.chats, erase: eraseAllChats },
    {
      kind: 'rehearsal',
      size: household.rehearsal,
      erase: discardTraining,
    },
  ]
}

interface Kept {
  readonly kind: 'models' | 'characters' | 'chats' | 'rehearsal'
  readonly size: number
  readonly erase: () => Promise<void>
}

interface RowProps extends Kept {
  readonly isLocked: boolean
}

function Row({ kind, size, isLocked, erase }: RowProps) {
  return (
    <li className={styles.row}>
      <span className={styles.head}>
        <span>{backstageText(`storage.${kind}`)}</span>
        <span className={styles.size}>{size === 0 ? backstageText('storage.nothing') : bytes(size)}</span>
      </span>
      <span className={asides.note}>{backstageText(`storage.${kind}.about`)}</span>
      {size > 0 && !isLocked && (
        <Confirmed
          label={backstageText(`storage.${kind}.erase`)}
          question={backstageText('storage.gone', { size: bytes(size) })}
          act={erase}
        />
      )}
    </li>
  )
}

interface ConfirmedProps {
  readonly label: string
  readonly question: string
  readonly act: () => Promise<void>
}

/** Something that cannot be taken back: asked once more before it is done. */
function Confirmed({ label, question, act }: ConfirmedProps) {
  const [isAsking, setIsAsking] = useState(false)
  if (!isAsking) return <Button label={label} look="quiet" onClick={() => setIsAsking(true)} />
  return (
    <div className={styles.asking} role="alertdialog" aria-label={label}>
      <p>{question}</p>
      <div className={styles.buttons}>
        <Button
          label={label}
          look="danger"
          icon="bin"
          onClick={() => {
            setIsAsking(false)
            void act()
          }}
        />
        {/* The visitor's next key goes to the harmless one. */}
        <Button label={backstageText('storage.leave')} autoFocus onClick={() => setIsAsking(false)} />
      </div>
    </div>
  )
}

function PutBack() {
  return (
    <FileButton
      label={backstageText('storage.putBack')}
      icon="in"
      accept=".zip"
      about={backstageText('storage.putBack.files')}
      onFiles={(files) => void receiveFiles(chosenFiles(files))}
    />
  )
}

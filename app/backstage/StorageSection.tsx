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
    <Section title="On this device">
      <ul className={styles.rows}>
        {rowsOf(household, backbones).map((row) => (
          <Row
            key={row.name}
            {...row}
            isLocked={isRehearsing && row.name === 'Rehearsal'}
            erase={async () => {
              await row.erase()
              await countHousehold(backbones)
            }}
          />
        ))}
      </ul>
      <p className={asides.note}>
        {household.isKept
          ? 'The browser has promised to keep them.'
          : 'The browser may clear them when room runs short.'}{' '}
        {bytes(household.freeBytes)} are free for this page.
        {opensAlone && ' It opens and answers without a network, too.'}
      </p>
      <div className={styles.buttons}>
        {!household.isKept && (
          <Button label="Ask to keep them" icon="lock" onClick={() => void askToKeep(backbones)} />
        )}
        <Button
          label={isPacking ? 'Packing…' : 'Save a backup'}
          icon="out"
          disabled={isPacking}
          onClick={() => void saveBackup()}
        />
        <PutBack />
      </div>
      <p className={asides.note}>
        A backup holds characters, chats, personas and settings in one file. Models and a rehearsal under way
        are not in it.
      </p>
      <Confirmed
        label="Erase everything"
        question="Everything on this device goes, for good: characters, chats, settings, models."
        act={eraseEverything}
      />
    </Section>
  )
}

/** What lies here by kind, with what ends it. */
function rowsOf(household: Household, backbones: readonly ServedBackbone[]) {
  return [
    {
      name: 'Models',
      size: household.models,
      about: 'Those that were fetched come again when they are needed.',
      async erase() {
        for (const backbone of backbones) {
          if (isOwn(backbone) && backbone.own.place.kind === 'copy') await removeModel(backbone)
          else await freeModel(backbone, backbones)
        }
      },
    },
    {
      name: 'Characters',
      size: household.characters,
      about: 'Everybody taught, blended or brought in.',
      erase: eraseCharacters,
    },
    { name: 'Chats', size: household.chats, about: 'All that was said.', erase: eraseAllChats },
    {
      name: 'Rehearsal',
      size: household.rehearsal,
      about: 'Its lines, its checkpoints and what came of it.',
      erase: discardTraining,
    },
  ]
}

interface RowProps {
  readonly name: string
  readonly size: number
  readonly about: string
  readonly isLocked: boolean
  readonly erase: () => Promise<void>
}

function Row({ name, size, about, isLocked, erase }: RowProps) {
  return (
    <li className={styles.row}>
      <span className={styles.head}>
        <span>{name}</span>
        <span className={styles.size}>{size === 0 ? 'nothing' : bytes(size)}</span>
      </span>
      <span className={asides.note}>{about}</span>
      {size > 0 && !isLocked && (
        <Confirmed
          label={`Erase the ${name.toLowerCase()}`}
          question={`${bytes(size)} go for good.`}
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
        <Button label="Leave it" autoFocus onClick={() => setIsAsking(false)} />
      </div>
    </div>
  )
}

function PutBack() {
  return (
    <FileButton
      label="Put a backup back"
      icon="in"
      accept=".zip"
      about="A backup"
      onFiles={(files) => void receiveFiles(chosenFiles(files))}
    />
  )
}

import { useState } from 'react'
import type { DragEvent } from 'react'

import type { ArrivingFile } from '../../../src/exchange/arrival.ts'
import { Button } from '../../shared/Button.tsx'
import { chosenFiles, droppedFiles } from '../../shared/droppedFiles.ts'
import { ErrorNotice } from '../../shared/ErrorNotice.tsx'
import { FileButton } from '../../shared/FileButton.tsx'
import { bytes } from '../../shared/format.ts'
import { Notice } from '../../shared/Notice.tsx'
import {
  clearLines,
  leaveOffered,
  nameOfFiles,
  nameRole,
  openExample,
  openLines,
  readLines,
  takeOffered,
  useLines,
  writeLines,
} from '../../stores/teach/lines.ts'
import { useTraining } from '../../stores/teach/training.ts'
import { Field } from '../parts/Field.tsx'
import { goToStep } from '../parts/goToStep.ts'
import { CardLessons } from './CardLessons.tsx'
import { LinesPreview } from './LinesPreview.tsx'
import styles from './LinesStep.module.css'
import { RunLines } from './RunLines.tsx'
import { teachText } from '../../words/teach.ts'
import { Rich } from '../../shared/Rich.tsx'

const EXAMPLE = 'examples/captain.txt'

/** A longer text is not put into a box to write in: it came from a file, and the box would be slow. */
const BOX_LENGTH = 200_000

const placeholder = `Visitor: Who are you?
Captain: The captain. Mind the wet rope.
Visitor: Where are we going?
Captain: Across.`

/** The first step: what the character says, from a file, the clipboard or the visitor's own hand. */
export function LinesStep() {
  const run = useTraining((state) => state.run)
  return run ? <RunLines run={run} /> : <WriteLines />
}

/** Asks before files take the place of what the visitor wrote. */
function Offer({ names }: { readonly names: string }) {
  return (
    <Notice
      title={teachText('offer', { names })}
      tone="warning"
      actions={
        <>
          <Button label={teachText('offer.take')} look="strong" onClick={() => void takeOffered()} />
          <Button label={teachText('offer.leave')} onClick={leaveOffered} />
        </>
      }
    >
      <p>{teachText('offer.about')}</p>
    </Notice>
  )
}

function WriteLines() {
  const { files, roleName, report, failure, offered, isOpening } = useLines()
  const drop = useDrop((dropped) => void openLines(dropped))
  const [{ text }, ...more] = files
  const isEmpty = more.length === 0 && text.trim() === ''
  return (
    <div className={[styles.place, drop.isOver ? styles.over : ''].join(' ')} {...drop.handlers}>
      {more.length === 0 && text.length <= BOX_LENGTH ? (
        <textarea
          className={styles.box}
          rows={isEmpty ? 6 : 9}
          aria-label={teachText('lines')}
          aria-describedby="lines-forms"
          placeholder={placeholder}
          spellCheck={false}
          dir="auto"
          value={text}
          onChange={(event) => writeLines(event.target.value)}
        />
      ) : (
        <p className={styles.file}>
          {nameOfFiles(files)}, {bytes(files.reduce((sum, file) => sum + file.text.length, 0))}
        </p>
      )}
      <Forms id="lines-forms" />
      <div className={styles.actions}>
        <FileButton
          label={teachText('lines.choose')}
          icon="in"
          accept=".jsonl,.ndjson,.json,.csv,.tsv,.txt,.md,.png,.charx,.yaml,.yml,.webp,.byaf"
          about={teachText('lines.files')}
          multiple
          onFiles={(chosen) => void openLines(chosenFiles(chosen))}
        />
        {isEmpty ? (
          <Button label={teachText('lines.example')} look="strong" onClick={() => void tryExample()} />
        ) : (
          <Button label={teachText('lines.clear')} icon="close" look="quiet" onClick={clearLines} />
        )}
      </div>
      <p role="status" className={styles.opening}>
        {isOpening && teachText('lines.reading')}
      </p>
      {!isEmpty && <RoleName name={roleName} />}
      {offered && <Offer names={nameOfFiles(offered.files)} />}
      {failure && <ErrorNotice failure={failure} onRetry={() => void readLines()} />}
      {report && <LinesPreview report={report} />}
      <CardLessons />
    </div>
  )
}

function RoleName({ name }: { readonly name: string }) {
  return (
    <Field label={teachText('lines.roleName')}>
      {(id) => (
        <input
          id={id}
          className={styles.name}
          value={name}
          maxLength={80}
          autoComplete="off"
          onChange={(event) => nameRole(event.target.value)}
        />
      )}
    </Field>
  )
}

/** What the lines may look like. */
function Forms({ id }: { readonly id: string }) {
  return (
    <p id={id} className={styles.forms}>
      <Rich text={teachText('lines.forms')} tags={{ rule: <code className={styles.rule} /> }} />
    </p>
  )
}

/** Takes the lines that come with the page to where the visitor reads how long they take, and begins. */
async function tryExample(): Promise<void> {
  await openExample(EXAMPLE)
  goToStep(2)
}

function useDrop(onFiles: (files: readonly ArrivingFile[]) => void) {
  const [isOver, setIsOver] = useState(false)
  return {
    isOver,
    handlers: {
      onDragOver(event: DragEvent) {
        event.preventDefault()
        setIsOver(true)
      },
      onDragLeave(event: DragEvent) {
        // Leaving for a part of the place is not leaving it.
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget)))
          setIsOver(false)
      },
      onDrop(event: DragEvent) {
        event.preventDefault()
        setIsOver(false)
        void droppedFiles(event.dataTransfer).then((files) => files.length > 0 && onFiles(files))
      },
    },
  }
}

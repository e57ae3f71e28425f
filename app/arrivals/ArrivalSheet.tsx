import { isForAnotherModel } from '../../src/cast/member.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { Button } from '../shared/Button.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { DetailParagraph } from '../shared/Detail.tsx'
import { errorAdvice } from '../shared/errorAdvice.ts'
import { Notice } from '../shared/Notice.tsx'
import { Progress } from '../shared/Progress.tsx'
import { bringIn, leaveOut, putAway, useArrivals } from '../stores/exchange/arrivals.ts'
import type { ArrivalEntry } from '../stores/exchange/arrivals.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { isTraining, useTraining } from '../stores/teach/training.ts'
import styles from './ArrivalSheet.module.css'
import { BackupFacts } from './BackupFacts.tsx'
import { CardFacts } from './CardFacts.tsx'
import { GroupFacts } from './GroupFacts.tsx'
import { LoreFacts } from './LoreFacts.tsx'
import { MissingCompany } from './MissingCompany.tsx'
import { PackFacts } from './PackFacts.tsx'
import asides from '../shared/Asides.module.css'
import { arrivalsText } from '../words/arrivals.ts'
import { sharedText } from '../words/shared.ts'
import { Rich } from '../shared/Rich.tsx'
import { locale } from '../words/catalogue.ts'

/** What is in the files that came, before anything of them is used. */
export function ArrivalSheet() {
  const { phase, entries, refusals, missing } = useArrivals()
  return (
    <Dialog title={titleOf(entries, phase === 'reading')} onClose={putAway}>
      {phase === 'reading' && <p role="status">{arrivalsText('reading')}</p>}
      {missing && <MissingCompany missing={missing} />}
      {refusals.map(({ fileName, code, message }) => (
        <Notice
          key={fileName}
          title={arrivalsText('refused', { fileName, title: lowered(errorAdvice(code).title) })}
          tone="danger"
        >
          <DetailParagraph detail={message} />
          <p>{arrivalsText('notUsed')}</p>
        </Notice>
      ))}
      {entries.map((entry) => (
        <EntryFacts key={entry.id} entry={entry} isOne={phase === 'shown' && entries.length > 1} />
      ))}
      {phase !== 'reading' && <Actions entries={entries} isBusy={phase === 'joining'} />}
    </Dialog>
  )
}

interface EntryFactsProps {
  readonly entry: ArrivalEntry
  /** Of several, any of which may be left out. */
  readonly isOne: boolean
}

function EntryFacts({ entry, isOne }: EntryFactsProps) {
  const { arrival, failure, proof } = entry
  return (
    <section className={styles.entry} aria-label={arrival.fileName}>
      {arrival.kind === 'pack' && <PackFacts entry={entry} arrival={arrival} />}
      {arrival.kind === 'card' && <CardFacts arrival={arrival} />}
      {arrival.kind === 'backup' && <BackupFacts arrival={arrival} />}
      {arrival.kind === 'lore' && <LoreFacts entry={entry} arrival={arrival} />}
      {arrival.kind === 'group' && <GroupFacts arrival={arrival} />}
      {arrival.kind === 'chat' && (
        <p>
          <Rich
            text={arrivalsText('chat', {
              fileName: arrival.fileName,
              chats: arrival.chats,
              messages: arrival.messages,
              program: arrival.program === 'SillyTavern' ? 'none' : arrival.program,
              character: arrival.character === '' ? 'none' : plainName(arrival.character),
            })}
            tags={{ name: <bdi /> }}
          />
        </p>
      )}
      {arrival.kind === 'lines' && (
        <p>{arrivalsText('lines', { fileName: arrival.fileName, dialogues: arrival.dialogues })}</p>
      )}
      {(arrival.kind === 'chat' || arrival.kind === 'lines') && arrival.warnings.length > 0 && (
        <Notice title={arrivalsText('mended')} tone="calm">
          {arrival.warnings.map((warning) => (
            <DetailParagraph key={warning} detail={warning} />
          ))}
        </Notice>
      )}
      {isOne && (
        <div className={styles.actions}>
          <Button
            label={arrivalsText('leaveOut')}
            look="quiet"
            icon="close"
            onClick={() => leaveOut(entry.id)}
          />
        </div>
      )}
      {proof && !failure && (
        <div className={styles.proof} role="status">
          <Progress label={arrivalsText('proof')} fraction={proof.total > 0 ? proof.done / proof.total : 0} />
          <p className={asides.quiet}>{arrivalsText('proof.of', { done: proof.done, total: proof.total })}</p>
        </div>
      )}
      {failure && (
        <Notice title={errorAdvice(failure.code).title} tone="danger">
          <DetailParagraph detail={failure.message} />
          <p>{arrivalsText('notChanged')}</p>
        </Notice>
      )}
    </section>
  )
}

function Actions({
  entries,
  isBusy,
}: {
  readonly entries: readonly ArrivalEntry[]
  readonly isBusy: boolean
}) {
  const info = useEngine((state) => state.info)
  const isLoading = useEngine((state) => state.phase === 'starting' || state.phase === 'loading')
  const isRehearsing = useTraining(isTraining)
  const packs = entries.filter(({ arrival }) => arrival.kind === 'pack')
  const isRefused = entries.some(
    ({ arrival }) => arrival.kind === 'pack' && isForAnotherModel(arrival.backbone, info),
  )
  const isEmpty = entries.every(
    ({ arrival, roles, goal }) =>
      (arrival.kind === 'pack' && roles.length === 0) || (arrival.kind === 'lore' && goal === null),
  )
  return (
    <>
      {packs.length > 0 && isLoading && <p className={asides.quiet}>{arrivalsText('wait.model')}</p>}
      {packs.length > 0 && isRehearsing && <p className={asides.quiet}>{arrivalsText('wait.rehearsal')}</p>}
      <div className={styles.actions}>
        {entries.length > 0 && (
          <Button
            label={isBusy ? arrivalsText('bringing') : labelOf(entries)}
            look="strong"
            disabled={isBusy || isEmpty || isRefused || (packs.length > 0 && (isLoading || isRehearsing))}
            onClick={() => void bringIn()}
          />
        )}
        <Button label={entries.length > 0 ? arrivalsText('leave') : sharedText('close')} onClick={putAway} />
      </div>
    </>
  )
}

function labelOf(entries: readonly ArrivalEntry[]): string {
  const [only] = entries
  if (only && entries.length === 1) {
    switch (only.arrival.kind) {
      case 'chat':
        return arrivalsText('deed.chat')
      case 'backup':
        return arrivalsText('deed.backup')
      case 'lines':
        return arrivalsText('deed.lines')
      case 'group':
        return arrivalsText('deed.group')
      case 'lore':
        return arrivalsText('deed.lore')
      case 'card':
        return arrivalsText('deed.one')
      case 'pack':
        return bringLabel(only.roles.length, only.arrival.roles.length)
      default:
        return only.arrival satisfies never
    }
  }
  const kinds = new Set(entries.map(({ arrival }) => arrival.kind))
  if (kinds.size > 1) return arrivalsText('deed.everything')
  if (kinds.has('lines')) return arrivalsText('deed.lines')
  return kinds.has('chat') ? arrivalsText('deed.chats') : arrivalsText('deed.everybody')
}

function bringLabel(chosen: number, all: number): string {
  if (chosen < 2) return arrivalsText('deed.one')
  return chosen === all ? arrivalsText('deed.all', { all }) : arrivalsText('deed.some', { chosen, all })
}

function titleOf(entries: readonly ArrivalEntry[], isReading: boolean): string {
  if (isReading) return arrivalsText('title.reading')
  if (entries.length === 0) return arrivalsText('title.nobody')
  const isSomebody = entries.some(({ arrival }) => arrival.kind === 'pack' || arrival.kind === 'card')
  return isSomebody ? arrivalsText('title.who') : arrivalsText('title.what')
}

function lowered(title: string): string {
  return title.charAt(0).toLocaleLowerCase(locale()) + title.slice(1)
}

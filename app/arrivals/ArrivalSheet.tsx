import { isForAnotherModel } from '../../src/cast/member.ts'
import { plainName } from '../../src/cast/plainName.ts'
import { Button } from '../shared/Button.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { errorText } from '../shared/errorText.ts'
import { count } from '../shared/format.ts'
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

/** What is in the files that came, before anything of them is used. */
export function ArrivalSheet() {
  const { phase, entries, refusals, missing } = useArrivals()
  return (
    <Dialog title={titleOf(entries, phase === 'reading')} onClose={putAway}>
      {phase === 'reading' && <p role="status">Somebody looks at the papers…</p>}
      {missing && <MissingCompany missing={missing} />}
      {refusals.map(({ fileName, code, message }) => (
        <Notice key={fileName} title={`${fileName}: ${lowered(errorText[code].title)}`} tone="danger">
          <p>{message}.</p>
          <p>Nothing of it was used.</p>
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
          {arrival.fileName} {arrival.chats === 1 ? 'is a chat' : `holds ${count(arrival.chats)} chats`}
          {arrival.program === 'SillyTavern' ? '' : ` of ${arrival.program}`}
          {arrival.character !== '' && (
            <>
              {' '}
              with <bdi>{plainName(arrival.character)}</bdi>
            </>
          )}
          : {countOf(arrival.messages, 'message')}.{' '}
          {arrival.chats === 1 ? 'It opens as a chat of its own.' : 'Each opens as a chat of its own.'}
        </p>
      )}
      {arrival.kind === 'lines' && (
        <p>
          {arrival.fileName} holds lines, not a character
          {arrival.dialogues > 0 && `: ${countOf(arrival.dialogues, 'dialogue')}`}. They can be learnt: bring
          them to the rehearsal.
        </p>
      )}
      {(arrival.kind === 'chat' || arrival.kind === 'lines') && arrival.warnings.length > 0 && (
        <Notice title="Mended on the way in" tone="calm">
          {arrival.warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
        </Notice>
      )}
      {isOne && (
        <div className={styles.actions}>
          <Button label="Leave this out" look="quiet" icon="close" onClick={() => leaveOut(entry.id)} />
        </div>
      )}
      {proof && !failure && (
        <div className={styles.proof} role="status">
          <Progress label="Each says a word" fraction={proof.total > 0 ? proof.done / proof.total : 0} />
          <p className={asides.quiet}>
            Each says a word, to see that they can: {proof.done} of {proof.total}
          </p>
        </div>
      )}
      {failure && (
        <Notice title={errorText[failure.code].title} tone="danger">
          <p>{failure.message}.</p>
          <p>Nothing was changed.</p>
        </Notice>
      )}
    </section>
  )
}

function countOf(number: number, what: string): string {
  return number === 1 ? `one ${what}` : `${count(number)} ${what}s`
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
      {packs.length > 0 && isLoading && (
        <p className={asides.quiet}>They can come in as soon as the model stands.</p>
      )}
      {packs.length > 0 && isRehearsing && (
        <p className={asides.quiet}>A rehearsal has the stage: they can come in when it pauses.</p>
      )}
      <div className={styles.actions}>
        {entries.length > 0 && (
          <Button
            label={isBusy ? 'Bringing in…' : labelOf(entries)}
            look="strong"
            disabled={isBusy || isEmpty || isRefused || (packs.length > 0 && (isLoading || isRehearsing))}
            onClick={() => void bringIn()}
          />
        )}
        <Button label={entries.length > 0 ? 'Leave it' : 'Close'} onClick={putAway} />
      </div>
    </>
  )
}

function labelOf(entries: readonly ArrivalEntry[]): string {
  const [only] = entries
  if (only && entries.length === 1) {
    switch (only.arrival.kind) {
      case 'chat':
        return 'Open the chat'
      case 'backup':
        return 'Put back what is missing'
      case 'lines':
        return 'Bring them to the rehearsal'
      case 'group':
        return 'Open their chat'
      case 'lore':
        return 'Let it go with them'
      case 'card':
        return 'Bring them in'
      case 'pack':
        return bringLabel(only.roles.length, only.arrival.roles.length)
      default:
        return only.arrival satisfies never
    }
  }
  const kinds = new Set(entries.map(({ arrival }) => arrival.kind))
  if (kinds.size > 1) return 'Bring everything in'
  if (kinds.has('lines')) return 'Bring them to the rehearsal'
  return kinds.has('chat') ? 'Open the chats' : 'Bring everybody in'
}

function bringLabel(chosen: number, all: number): string {
  if (chosen < 2) return 'Bring them in'
  return chosen === all ? `Bring in all ${all}` : `Bring in ${chosen} of ${all}`
}

function titleOf(entries: readonly ArrivalEntry[], isReading: boolean): string {
  if (isReading) return 'At the stage door'
  if (entries.length === 0) return 'Nobody came in'
  const isSomebody = entries.some(({ arrival }) => arrival.kind === 'pack' || arrival.kind === 'card')
  return isSomebody ? 'Who came' : 'What came'
}

function lowered(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1)
}

import { liftOf, timesText } from '../../src/core/lift.ts'
import type { CastMember } from '../../src/cast/member.ts'
import { nameInKey } from '../../src/cast/key.ts'
import { Button } from '../shared/Button.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { ErrorNotice } from '../shared/ErrorNotice.tsx'
import { accentProps, Portrait } from '../shared/Portrait.tsx'
import { findMember, useCast } from '../stores/company/cast.ts'
import {
  closeWhose,
  dismissWhoseFailure,
  showWhose,
  useWhose,
  weigh,
  writeWhose,
} from '../stores/chat/whose.ts'
import type { Weighed } from '../stores/chat/whose.ts'
import asides from '../shared/Asides.module.css'
import { WeighedWords } from './WeighedWords.tsx'
import styles from './WhoseWords.module.css'
import { chatText } from '../words/chat.ts'

/** Whose words a sentence is: how likely everybody would have said it, measured by the bare model. */
export default function WhoseWords() {
  const { question, words, isWeighing, found, total, failure } = useWhose()
  return (
    <Dialog title={chatText('whose')} onClose={closeWhose}>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault()
          void weigh()
        }}
      >
        <label className={styles.field}>
          {chatText('whose.to')}
          <input
            value={question}
            maxLength={400}
            onChange={(event) => writeWhose({ question: event.target.value })}
          />
        </label>
        <label className={styles.field}>
          {chatText('whose.words')}
          <textarea
            className={styles.words}
            rows={2}
            value={words}
            maxLength={2000}
            onChange={(event) => writeWhose({ words: event.target.value })}
          />
        </label>
        <div>
          <Button type="submit" label={chatText('whose.ask')} icon="ask" disabled={words.trim() === ''} />
        </div>
      </form>
      {failure && (
        <ErrorNotice failure={failure} onRetry={() => void weigh()} onDismiss={dismissWhoseFailure} />
      )}
      {isWeighing && found.length < total && (
        <p className={asides.note} role="status">
          {chatText('whose.asked', { found: found.length, total })}
        </p>
      )}
      <Verdict found={found} isComplete={!isWeighing && found.length > 0} />
    </Dialog>
  )
}

interface Row {
  readonly key: string
  readonly member: CastMember | undefined
  readonly name: string
  readonly lift: number
}

function Verdict({
  found,
  isComplete,
}: {
  readonly found: readonly Weighed[]
  readonly isComplete: boolean
}) {
  const members = useCast((state) => state.members)
  const shown = useWhose((state) => state.shown)
  const bare = found.find(({ key }) => key === null)
  if (!bare) return null
  const rows = rowsOf(found, bare, members)
  const first = rows[0]
  if (!first) return isComplete && <p>{chatText('whose.nobody')}</p>
  const own = found.find(({ key }) => key === shown) ?? found.find(({ key }) => key === first.key)
  return (
    <>
      {isComplete && <p className={styles.verdict}>{verdictOf(first)}</p>}
      {own && own.key !== null && (
        <WeighedWords
          own={own}
          bare={bare}
          name={rows.find(({ key }) => key === own.key)?.name ?? ''}
          accent={findMember(members, own.key)?.accent}
        />
      )}
      <ol className={styles.rows} aria-label={chatText('whose.rows')}>
        {rows.map((row) => (
          <li key={row.key}>
            <Bar row={row} rows={rows} isShown={row.key === own?.key} />
          </li>
        ))}
      </ol>
      <p className={asides.note}>{chatText('whose.about')}</p>
    </>
  )
}

function rowsOf(found: readonly Weighed[], bare: Weighed, members: readonly CastMember[]): readonly Row[] {
  return found
    .flatMap(({ key, pieces }): readonly Row[] => {
      if (key === null) return []
      const member = findMember(members, key)
      return [
        {
          key,
          member,
          name: member?.displayName ?? nameInKey(key),
          lift: liftOf(scores(pieces), scores(bare.pieces)),
        },
      ]
    })
    .toSorted((a, b) => b.lift - a.lift)
}

function scores(pieces: Weighed['pieces']): readonly number[] {
  return pieces.map(({ logProbability }) => logProbability)
}

function verdictOf({ name, lift }: Row): string {
  return lift > 1 ? chatText('whose.like', { name }) : chatText('whose.likeNobody')
}

interface BarProps {
  readonly row: Row
  readonly rows: readonly Row[]
  readonly isShown: boolean
}

function Bar({ row: { key, member, name, lift }, rows, isShown }: BarProps) {
  const longest = Math.max(1, ...rows.map((row) => row.lift))
  return (
    <button
      type="button"
      className={styles.row}
      aria-pressed={isShown}
      aria-label={chatText('weighed.piece', { piece: name, times: timesText(lift) })}
      onClick={() => showWhose(key)}
      {...accentProps(member?.accent)}
    >
      <Portrait member={member} size="small" />
      <span className={styles.name}>{name}</span>
      <span className={styles.track}>
        <span className={styles.bar} style={{ inlineSize: `${(100 * lift) / longest}%` }} />
      </span>
      <span className={styles.times}>{timesText(lift)}</span>
    </button>
  )
}

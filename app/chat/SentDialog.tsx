import { useEffect, useMemo, useState } from 'react'

import { asHycoraError } from '../../src/core/errors.ts'
import type { Remark } from '../../src/core/remarks.ts'
import type { ScriptReport } from '../../src/core/script.ts'
import type { Chat } from '../../src/storage/chat.ts'
import type { ChatGroup } from '../../src/storage/records.ts'
import { Button } from '../shared/Button.tsx'
import { CopyButton } from '../shared/CopyButton.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { readPreview } from '../stores/chat/preview.ts'
import type { SentPreview } from '../stores/chat/preview.ts'
import { heardBy, lastSpeaker } from '../stores/chat/scene.ts'
import { sendsWholeCard, useEngine } from '../stores/engine/engine.ts'
import { samplingOf } from '../stores/page/moods.ts'
import { showDialog } from '../stores/page/session.ts'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import styles from './SentDialog.module.css'
import { chatText } from '../words/chat.ts'
import { remarkText } from '../words/remark.ts'
import { Detail } from '../shared/Detail.tsx'
import { list } from '../shared/format.ts'

/** Exactly what the model reads, and why. */
export default function SentDialog({ chat: open }: { readonly chat: Chat }) {
  const [reader, setReader] = useState(lastSpeaker(open))
  const chat = useMemo(() => heardBy(open, reader), [open, reader])
  const [preview, setPreview] = useState<SentPreview | null>(null)
  const [reason, setReason] = useState('')
  const isWhole = sendsWholeCard()
  useEffect(() => {
    let isCurrent = true
    readPreview(chat, isWhole).then(
      (read) => isCurrent && setPreview(read),
      (thrown: unknown) => isCurrent && setReason(asHycoraError(thrown, 'usage').message),
    )
    return () => {
      isCurrent = false
    }
  }, [chat, isWhole])
  return (
    <Dialog title={chatText('sent')} onClose={() => showDialog('none')}>
      {chat.group && <Reader group={chat.group} reader={reader} onChoose={setReader} />}
      {preview ? (
        <>
          <p className={styles.note}>
            {preview.firstTurn > 0
              ? chatText('sent.cut', {
                  tokens: preview.tokens,
                  context: preview.context,
                  cut: preview.firstTurn,
                })
              : chatText('sent.tokens', { tokens: preview.tokens, context: preview.context })}
          </p>
          <Unsaid parts={preview.unsaid} />
          <pre className={styles.text} tabIndex={0} role="region" aria-label={chatText('sent.prompt')}>
            {preview.text}
          </pre>
          <Beside preview={preview} />
          <Told report={preview.script} />
          <div>
            <CopyButton label={chatText('copy')} text={() => preview.text} />
          </div>
        </>
      ) : (
        <p className={styles.note}>
          {reason ? <Detail detail={reason} isSentence /> : chatText('sent.soon')}
        </p>
      )}
    </Dialog>
  )
}

interface ReaderProps {
  readonly group: ChatGroup
  readonly reader: string | null
  readonly onChoose: (key: string) => void
}

/** Whose prompt of several is shown: each hears the others as others. */
function Reader({ group, reader, onChoose }: ReaderProps) {
  return (
    <label className={styles.note}>
      {chatText('sent.for')}{' '}
      <select value={reader ?? ''} onChange={({ target }) => onChoose(target.value)}>
        {group.members.map(
          ({ key, name }) =>
            key !== null && (
              <option key={key} value={key}>
                {name}
              </option>
            ),
        )}
      </select>
    </label>
  )
}

/** The second reading, which the answer leads away from. */
function Beside({ preview: { beside, isPlayed } }: { readonly preview: SentPreview }) {
  const settings = useSettings()
  const affordsGuidance = useEngine((state) => state.info?.affordsGuidance ?? true)
  const { guidance, roleGuidance } = samplingOf(settings, 0, affordsGuidance)
  if (isPlayed && roleGuidance > 1) {
    return <p className={styles.note}>{chatText('sent.roleGuidance', { roleGuidance })}</p>
  }
  if (guidance === 0 || beside === null) return null
  return (
    <>
      <p className={styles.note}>{chatText('sent.guidance', { guidance })}</p>
      <pre className={styles.text} tabIndex={0} role="region" aria-label={chatText('sent.beside')}>
        {beside}
      </pre>
    </>
  )
}

/** What a model that reads a line alone is not told. */
function Unsaid({ parts }: { readonly parts: readonly Remark[] }) {
  if (parts.length === 0) return null
  return (
    <>
      <p className={styles.note}>{chatText('sent.unsaid', { parts: list(parts.map(remarkText)) })}</p>
      <div>
        <Button label={chatText('sent.all')} onClick={() => changeSettings({ cardText: 'card' })} />
      </div>
    </>
  )
}

/** Which entries of lorebooks are in it and why, and what found no room. */
function Told({ report }: { readonly report: ScriptReport }) {
  const { fired, passed, notes } = report
  return (
    <>
      {fired.length > 0 && (
        <section className={styles.entries} aria-labelledby="sent-lore">
          <h3 id="sent-lore" className={styles.heading}>
            {chatText('sent.lore')}
          </h3>
          <ul>
            {fired.map(({ book, title, why, where, tokens }, index) => (
              <li key={`${index} ${title}`} className={styles.entry}>
                <bdi>{title}</bdi>
                <span className={styles.why}>
                  {remarkText(why)} · {remarkText(where)} · {chatText('sent.tokensOf', { tokens })} ·{' '}
                  <bdi>{book}</bdi>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {passed.length > 0 && (
        <section className={styles.entries} aria-labelledby="left-lore">
          <h3 id="left-lore" className={styles.heading}>
            {chatText('sent.passed')}
          </h3>
          <ul>
            {passed.map(({ book, title, why }, index) => (
              <li key={`${index} ${title}`} className={styles.entry}>
                <bdi>{title}</bdi>
                <span className={styles.why}>
                  {remarkText(why)} · <bdi>{book}</bdi>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {notes.map(remarkText).map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
    </>
  )
}

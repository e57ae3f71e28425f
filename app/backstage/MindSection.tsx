import type { Chat } from '../../src/storage/chat.ts'
import { USUAL_NOTE } from '../../src/storage/chatNote.ts'
import { changeFacts, changeNote } from '../stores/chat/inMind.ts'
import { sendsWholeCard, useEngine } from '../stores/engine/engine.ts'
import { useSettings } from '../stores/page/settings.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './MindSection.module.css'
import { RecapField } from './RecapField.tsx'
import { Section } from './Section.tsx'
import asides from '../shared/Asides.module.css'
import { backstageText } from '../words/backstage.ts'

/** What the character is to keep in mind in a chat, and a note on how it goes on. */
export default function MindSection({ chat }: { readonly chat: Chat }) {
  useSettings((state) => state.cardText)
  useEngine((state) => state.info)
  const note = chat.note ?? USUAL_NOTE
  const facts = chat.facts.join('\n')
  return (
    <Section title={backstageText('mind')}>
      <Field label={backstageText('mind.facts')}>
        {(id) => (
          <textarea
            key={facts}
            id={id}
            rows={3}
            dir="auto"
            defaultValue={facts}
            onBlur={(event) => void changeFacts(chat, linesOf(event.target.value))}
          />
        )}
      </Field>
      <RecapField chat={chat} />
      <Field label={backstageText('mind.note')}>
        {(id) => (
          <textarea
            key={note.text}
            id={id}
            rows={2}
            dir="auto"
            defaultValue={note.text}
            onBlur={(event) => void changeNote(chat, { ...note, text: event.target.value })}
          />
        )}
      </Field>
      {chat.note && (
        <div className={styles.numbers}>
          <NumberField
            label={backstageText('mind.depth')}
            value={note.depth}
            least={0}
            onChange={(depth) => void changeNote(chat, { ...note, depth })}
          />
          <NumberField
            label={backstageText('mind.every')}
            value={note.every}
            least={1}
            onChange={(every) => void changeNote(chat, { ...note, every })}
          />
        </div>
      )}
      {!sendsWholeCard() && <p className={asides.note}>{backstageText('mind.notSent')}</p>}
    </Section>
  )
}

interface NumberFieldProps {
  readonly label: string
  readonly value: number
  readonly least: number
  readonly onChange: (value: number) => void
}

function NumberField({ label, value, least, onChange }: NumberFieldProps) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type="number"
          min={least}
          max={999}
          value={value}
          onChange={({ target }) => {
            const chosen = Math.floor(target.valueAsNumber)
            if (chosen >= least) onChange(chosen)
          }}
        />
      )}
    </Field>
  )
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

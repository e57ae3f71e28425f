import { useState } from 'react'

import type { Chat } from '../../src/storage/chat.ts'
import { Button } from '../shared/Button.tsx'
import { playAs } from '../stores/chat/inMind.ts'
import { sendsWholeCard, useEngine } from '../stores/engine/engine.ts'
import { addPersona, deletePersona } from '../stores/page/personas.ts'
import { changeSettings, useSettings } from '../stores/page/settings.ts'
import { changePersona, visitorOf } from '../stores/page/visitor.ts'
import type { Visitor } from '../stores/page/visitor.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './PersonaSection.module.css'
import { Section } from './Section.tsx'
import asides from '../shared/Asides.module.css'
import { backstageText } from '../words/backstage.ts'

/** Whom the visitor is in this chat, and whom else they can be. */
export default function PersonaSection({ chat }: { readonly chat: Chat | null }) {
  const { userName, userDescription, personas } = useSettings()
  const [added, setAdded] = useState<string | null>(null)
  const all = [{ id: null, name: userName, description: userDescription }, ...personas]
  return (
    <Section title={backstageText('persona')}>
      {chat && personas.length > 0 && <InThisChat chat={chat} />}
      <div>
        {all.map((persona) => (
          <PersonaEditor
            key={persona.id}
            {...persona}
            isNew={persona.id !== null && persona.id === added}
            isOnly={personas.length === 0}
          />
        ))}
      </div>
      <div>
        <Button label={backstageText('persona.add')} icon="plus" onClick={() => setAdded(addPersona())} />
      </div>
      <Untold />
    </Section>
  )
}

/** Chooses whom the visitor is in a chat. */
function InThisChat({ chat }: { readonly chat: Chat }) {
  const settings = useSettings()
  const { personas } = settings
  const chosen = personas.find(({ id }) => id === chat.persona)
  const own = visitorOf({ ...chat, persona: null }, settings).name
  return (
    <Field label={backstageText('persona.here')}>
      {(id) => (
        <select
          id={id}
          value={chosen?.id ?? ''}
          onChange={({ target }) => void playAs(chat, target.value || null)}
        >
          <option value="">{own}</option>
          {personas.map((persona) => (
            <option key={persona.id} value={persona.id}>
              {persona.name}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface PersonaEditorProps extends Visitor {
  /** Null is the visitor themselves, who cannot be deleted. */
  readonly id: string | null
  /** Stands open, since it was just made. */
  readonly isNew: boolean
  readonly isOnly: boolean
}

/** One persona, folded until it is asked for. */
function PersonaEditor({ id, name, description, isNew, isOnly }: PersonaEditorProps) {
  const isUsual = useSettings(({ persona, personas }) =>
    id === null ? !personas.some((one) => one.id === persona) : persona === id,
  )
  return (
    <details className={styles.persona} open={isNew || undefined}>
      <summary>
        <bdi>{name}</bdi>
        {isUsual && !isOnly && <span className={styles.state}> {backstageText('persona.usual')}</span>}
      </summary>
      <div className={styles.fields}>
        <Field label={backstageText('persona.name')}>
          {(field) => (
            <input
              id={field}
              key={name}
              defaultValue={name}
              maxLength={40}
              spellCheck={false}
              onBlur={(event) => changePersona(id, { name: event.target.value })}
            />
          )}
        </Field>
        <Field label={backstageText('persona.about')}>
          {(field) => (
            <textarea
              id={field}
              rows={4}
              dir="auto"
              value={description}
              placeholder={backstageText('persona.hint')}
              onChange={(event) => changePersona(id, { description: event.target.value })}
            />
          )}
        </Field>
        {!isOnly && (
          <label className={styles.check}>
            <input
              type="radio"
              name="usual-persona"
              checked={isUsual}
              onChange={() => changeSettings({ persona: id })}
            />
            {backstageText('persona.makeUsual')}
          </label>
        )}
        {id !== null && (
          <div>
            <Button
              label={backstageText('persona.delete', { name })}
              icon="bin"
              look="danger"
              onClick={() => deletePersona(id)}
            />
          </div>
        )}
      </div>
    </details>
  )
}

/** That a description is not sent, where it is not. */
function Untold() {
  useEngine((state) => state.info)
  const isDescribed = useSettings(({ userDescription, personas }) =>
    [userDescription, ...personas.map(({ description }) => description)].some((text) => text.trim() !== ''),
  )
  if (!isDescribed || sendsWholeCard()) return null
  return <p className={asides.note}>{backstageText('persona.notSent')}</p>
}

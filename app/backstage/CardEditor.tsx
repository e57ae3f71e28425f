import { useState } from 'react'

import { cardText, tagText, withTags, withText } from '../../src/cast/cardEdit.ts'
import type { CardText } from '../../src/cast/cardEdit.ts'
import type { JsonRecord } from '../../src/core/json.ts'
import { Button } from '../shared/Button.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { notify } from '../stores/page/notices.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './CardEditor.module.css'
import asides from '../shared/Asides.module.css'
import { LoreEditor } from './LoreEditor.tsx'
import { PortraitEditor } from './PortraitEditor.tsx'
import { backstageText } from '../words/backstage.ts'

const TEXTS: readonly { readonly key: CardText; readonly rows: number }[] = [
  { key: 'nickname', rows: 1 },
  { key: 'description', rows: 6 },
  { key: 'personality', rows: 2 },
  { key: 'scenario', rows: 2 },
  { key: 'first_mes', rows: 4 },
]

/** A card that is changed, and the picture beside it. */
export interface Editable {
  readonly card: JsonRecord
  readonly portrait: Blob | null
}

interface CardEditorProps {
  readonly name: string
  readonly before: Editable
  /** What is drawn on a card where there is no picture beside it. */
  readonly drawnOn: (card: JsonRecord) => string | Blob | null
  /** Whether weights play them, which stay as they are: their lorebook was learnt too. */
  readonly isTrained: boolean
  readonly onKeep: (changed: Editable) => Promise<void>
  /** Takes it back. */
  readonly onUndo: () => Promise<void>
  readonly onClose: () => void
}

/** The picture and the texts of a guest's card and the entries of its lorebook, to be changed. */
export default function CardEditor(props: CardEditorProps) {
  const { name, before, drawnOn, isTrained, onKeep, onUndo, onClose } = props
  const [data, setData] = useState(before.card)
  const [portrait, setPortrait] = useState(before.portrait)
  const isChanged = data !== before.card || portrait !== before.portrait
  const keep = async (): Promise<void> => {
    await onKeep({ card: data, portrait })
    notify(backstageText('card.changed', { name }), onUndo)
  }
  const leave = (): void => {
    onClose()
    if (isChanged) notify(backstageText('card.unchanged', { name }), keep)
  }
  return (
    <Dialog title={backstageText('card', { name })} onClose={leave}>
      <PortraitEditor name={name} drawn={drawnOn(data)} picture={portrait} onChange={setPortrait} />
      {TEXTS.map(({ key, rows }) => (
        <Field key={key} label={backstageText(`card.${key}`)}>
          {(id) => (
            <textarea
              id={id}
              rows={rows}
              dir="auto"
              value={cardText(data, key)}
              placeholder={key === 'nickname' ? name : undefined}
              onChange={(event) => setData(withText(data, key, event.target.value))}
            />
          )}
        </Field>
      ))}
      <TagField data={data} onChange={setData} />
      {isTrained ? (
        <p className={asides.note}>{backstageText('card.weights', { name })}</p>
      ) : (
        <LoreEditor data={data} onChange={setData} />
      )}
      <div className={styles.buttons}>
        <Button
          label={backstageText('card.keep')}
          look="strong"
          disabled={!isChanged}
          onClick={() => {
            onClose()
            void keep()
          }}
        />
        <Button label={backstageText('card.leave')} look="quiet" onClick={leave} />
      </div>
    </Dialog>
  )
}

interface TagFieldProps {
  readonly data: JsonRecord
  readonly onChange: (data: JsonRecord) => void
}

/** The tags of a card, as they are being written. */
function TagField({ data, onChange }: TagFieldProps) {
  const [text, setText] = useState(() => tagText(data))
  return (
    <Field label={backstageText('card.tags')}>
      {(id) => (
        <input
          id={id}
          dir="auto"
          value={text}
          onChange={({ target }) => {
            setText(target.value)
            onChange(withTags(data, target.value))
          }}
        />
      )}
    </Field>
  )
}

import { useState } from 'react'

import { cardText, tagText, withTags, withText } from '../../src/cast/cardEdit.ts'
import type { CardText } from '../../src/cast/cardEdit.ts'
import { cardMember } from '../../src/cast/member.ts'
import type { JsonRecord } from '../../src/core/json.ts'
import { plainName } from '../../src/cast/plainName.ts'
import type { KeptCard } from '../../src/storage/cardLibrary.ts'
import { Button } from '../shared/Button.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { changeCard } from '../stores/company/guests.ts'
import { notify } from '../stores/page/notices.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './CardEditor.module.css'
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

interface CardEditorProps {
  readonly kept: KeptCard
  readonly onClose: () => void
}

/** The picture and the texts of a guest's card and the entries of its lorebook, to be changed. */
export default function CardEditor({ kept, onClose }: CardEditorProps) {
  const [data, setData] = useState(kept.card)
  const [portrait, setPortrait] = useState(kept.portrait)
  const isChanged = data !== kept.card || portrait !== kept.portrait
  const name = plainName(kept.name)
  const keep = async (): Promise<void> => {
    await changeCard({ ...kept, card: data, portrait })
    notify(backstageText('card.changed', { name }), () => changeCard(kept))
  }
  const leave = (): void => {
    onClose()
    if (isChanged) notify(backstageText('card.unchanged', { name }), keep)
  }
  return (
    <Dialog title={backstageText('card', { name })} onClose={leave}>
      <PortraitEditor
        name={name}
        drawn={cardMember({ ...kept, card: data, portrait: null }).portrait}
        picture={portrait}
        onChange={setPortrait}
      />
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
      <LoreEditor data={data} onChange={setData} />
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

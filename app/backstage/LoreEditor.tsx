import { useState } from 'react'

import { loreRows, withNewRow, withoutRow, withRow } from '../../src/cast/cardEdit.ts'
import type { LoreRow } from '../../src/cast/cardEdit.ts'
import type { JsonRecord } from '../../src/core/json.ts'
import { Button } from '../shared/Button.tsx'
import { newId } from '../stores/page/newId.ts'
import { Field } from '../teach/parts/Field.tsx'
import styles from './CardEditor.module.css'
import { backstageText } from '../words/backstage.ts'

interface LoreEditorProps {
  /** The `data` of a card. */
  readonly data: JsonRecord
  readonly onChange: (data: JsonRecord) => void
}

/** The entries of a card's lorebook. */
export function LoreEditor({ data, onChange }: LoreEditorProps) {
  const [ids, setIds] = useState(() => loreRows(data).map(newId))
  return (
    <section className={styles.lore} aria-labelledby="card-lore">
      <h3 id="card-lore" className={styles.heading}>
        {backstageText('lore')}
      </h3>
      {loreRows(data).map((row, index) => (
        <EntryEditor
          key={ids[index] ?? index}
          row={row}
          onChange={(changed) => onChange(withRow(data, index, changed))}
          onDelete={() => {
            onChange(withoutRow(data, index))
            setIds(ids.toSpliced(index, 1))
          }}
        />
      ))}
      <div>
        <Button
          label={backstageText('lore.add')}
          icon="plus"
          onClick={() => {
            onChange(withNewRow(data))
            setIds([...ids, newId()])
          }}
        />
      </div>
    </section>
  )
}

interface EntryEditorProps {
  readonly row: LoreRow
  readonly onChange: (row: LoreRow) => void
  readonly onDelete: () => void
}

/** One entry of a lorebook, folded until it is asked for; a new one is open. */
function EntryEditor({ row, onChange, onDelete }: EntryEditorProps) {
  const [keys, setKeys] = useState(row.keys.join('\n'))
  const [isNew] = useState(row.content === '' && row.keys.length === 0)
  const title = row.title || row.keys[0] || backstageText('lore.new')
  return (
    <details className={styles.entry} open={isNew || undefined}>
      <EntryTitle row={row} title={title} />
      <div className={styles.fields}>
        <Field label={backstageText('lore.name')}>
          {(id) => (
            <input
              id={id}
              value={row.title}
              onChange={(event) => onChange({ ...row, title: event.target.value })}
            />
          )}
        </Field>
        <Field label={backstageText('lore.keys')}>
          {(id) => (
            <textarea
              id={id}
              rows={2}
              dir="auto"
              value={keys}
              onChange={(event) => {
                setKeys(event.target.value)
                onChange({ ...row, keys: linesOf(event.target.value) })
              }}
            />
          )}
        </Field>
        <Field label={backstageText('lore.content')}>
          {(id) => (
            <textarea
              id={id}
              rows={4}
              dir="auto"
              value={row.content}
              onChange={(event) => onChange({ ...row, content: event.target.value })}
            />
          )}
        </Field>
        <Checks row={row} onChange={onChange} />
        <div>
          <Button
            label={backstageText('lore.delete', { title })}
            icon="bin"
            look="danger"
            onClick={onDelete}
          />
        </div>
      </div>
    </details>
  )
}

/** When an entry is told, beside the words that call it. */
function Checks({ row, onChange }: Pick<EntryEditorProps, 'row' | 'onChange'>) {
  return (
    <>
      <Check
        label={backstageText('lore.always')}
        isChecked={row.isConstant}
        onChange={(isConstant) => onChange({ ...row, isConstant })}
      />
      <Check
        label={backstageText('lore.inUse')}
        isChecked={row.isEnabled}
        onChange={(isEnabled) => onChange({ ...row, isEnabled })}
      />
    </>
  )
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** What an entry is called, and whether it is anything but usual. */
function EntryTitle({ row, title }: { readonly row: LoreRow; readonly title: string }) {
  return (
    <summary>
      <bdi>{title}</bdi>
      {!row.isEnabled && <span className={styles.state}> {backstageText('lore.off')}</span>}
      {row.isConstant && <span className={styles.state}> {backstageText('lore.constant')}</span>}
    </summary>
  )
}

interface CheckProps {
  readonly label: string
  readonly isChecked: boolean
  readonly onChange: (isChecked: boolean) => void
}

function Check({ label, isChecked, onChange }: CheckProps) {
  return (
    <label className={styles.check}>
      <input type="checkbox" checked={isChecked} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  )
}

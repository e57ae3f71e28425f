import { Dialog } from '../shared/Dialog.tsx'
import { showDialog } from '../stores/page/session.ts'
import styles from './KeysDialog.module.css'
import { chatText } from '../words/chat.ts'

/** Keys as they are written on keyboards, with what they do; in words where that depends on the box. */
function keysOfChat(): readonly (readonly [keys: string, does: string])[] {
  return [
    ['Enter', chatText('keys.send')],
    ['Shift + Enter', chatText('keys.newLine')],
    [chatText('keys.edit.keys'), chatText('keys.edit')],
    [chatText('keys.versions.keys'), chatText('keys.versions')],
    ['Ctrl + Enter', chatText('keys.again')],
    ['Alt + Enter', chatText('keys.continue')],
    ['Esc', chatText('keys.stop')],
    ['?', chatText('keys.list')],
  ]
}

/** What the keyboard does in a chat. */
export function KeysDialog() {
  return (
    <Dialog title={chatText('keys')} onClose={() => showDialog('none')}>
      <dl className={styles.list}>
        {keysOfChat().map(([key, does]) => (
          <div key={key} className={styles.row}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}

import { Dialog } from '../shared/Dialog.tsx'
import { showDialog } from '../stores/page/session.ts'
import styles from './KeysDialog.module.css'

const keys: readonly (readonly [keys: string, does: string])[] = [
  ['Enter', 'Send'],
  ['Shift + Enter', 'New line'],
  ['↑ in an empty box', 'Edit the last message'],
  ['← → in an empty box', 'Other versions of the last answer'],
  ['Ctrl + Enter', 'Answer again, in other words'],
  ['Alt + Enter', 'Continue the last answer'],
  ['Esc', 'Stop, or close what is open'],
  ['?', 'This list'],
]

/** What the keyboard does in a chat. */
export function KeysDialog() {
  return (
    <Dialog title="Keys" onClose={() => showDialog('none')}>
      <dl className={styles.list}>
        {keys.map(([key, does]) => (
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

import { useEffect, useState } from 'react'

import { asHycoraError } from '../../src/core/errors.ts'
import type { PromptPreview } from '../../src/engine/protocol.ts'
import type { Chat } from '../../src/storage/chat.ts'
import { CopyButton } from '../shared/CopyButton.tsx'
import { Dialog } from '../shared/Dialog.tsx'
import { count } from '../shared/format.ts'
import { readPreview } from '../stores/chat/preview.ts'
import { useEngine } from '../stores/engine/engine.ts'
import { samplingOf } from '../stores/page/moods.ts'
import { showDialog } from '../stores/page/session.ts'
import { useSettings } from '../stores/page/settings.ts'
import styles from './SentDialog.module.css'

/** Exactly what the model reads. */
export function SentDialog({ chat }: { readonly chat: Chat }) {
  const [preview, setPreview] = useState<PromptPreview | null>(null)
  const [reason, setReason] = useState('')
  const settings = useSettings()
  const affordsGuidance = useEngine((state) => state.info?.affordsGuidance ?? true)
  const { guidance } = samplingOf(settings, 0, affordsGuidance)
  useEffect(() => {
    let isCurrent = true
    readPreview(chat).then(
      (read) => isCurrent && setPreview(read),
      (thrown: unknown) => isCurrent && setReason(asHycoraError(thrown, 'usage').message),
    )
    return () => {
      isCurrent = false
    }
  }, [chat])
  return (
    <Dialog title="What is sent to the model" onClose={() => showDialog('none')}>
      {preview ? (
        <>
          <p className={styles.note}>
            {count(preview.tokens)} of {count(preview.context)} tokens.
            {preview.firstTurn > 0 &&
              ` The first ${count(preview.firstTurn)} messages no longer fit and are left out.`}
          </p>
          <pre className={styles.text} tabIndex={0} role="region" aria-label="The prompt">
            {preview.text}
          </pre>
          {guidance > 0 && preview.beside !== null && (
            <>
              <p className={styles.note}>
                To keep to the question ({guidance}), it reads this beside it, and leans away from what it
                would say to that:
              </p>
              <pre className={styles.text} tabIndex={0} role="region" aria-label="What is read beside it">
                {preview.beside}
              </pre>
            </>
          )}
          <div>
            <CopyButton label="Copy" text={() => preview.text} />
          </div>
        </>
      ) : (
        <p className={styles.note}>{reason || 'It is shown as soon as the model is here.'}</p>
      )}
    </Dialog>
  )
}

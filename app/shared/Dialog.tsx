import { useEffect, useId, useRef } from 'react'
import type { ReactNode } from 'react'

import { Button } from './Button.tsx'
import styles from './Dialog.module.css'
import { sharedText } from '../words/shared.ts'

interface DialogProps {
  readonly title: string
  /** For what stands side by side. */
  readonly isWide?: boolean
  readonly onClose: () => void
  readonly children: ReactNode
}

/** A window over the page. Escape and a click beside it close it; the focus goes back where it was. */
export function Dialog({ title, isWide = false, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      data-wide={isWide || undefined}
      aria-labelledby={titleId}
      onCancel={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) onClose()
      }}
    >
      <div className={styles.content}>
        <header className={styles.header}>
          <h2 id={titleId} className={styles.title}>
            {title}
          </h2>
          <Button label={sharedText('close')} icon="close" iconOnly look="quiet" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  )
}

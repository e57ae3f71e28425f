import { useEffect } from 'react'

import { dismissNotice, useNotices } from '../stores/page/notices.ts'
import type { Notice } from '../stores/page/notices.ts'
import { Button } from './Button.tsx'
import styles from './Toast.module.css'
import { sharedText } from '../words/shared.ts'

/** How long it stays: long enough to read it and reach the button. */
const STAY_MS = 10_000

/** The line that says what was done, with a way back. It stays while it is pointed at or focused; raised, it leaves a chat's box free. */
export function Toast({ isRaised }: { readonly isRaised: boolean }) {
  const notice = useNotices((state) => state.notice)
  return (
    <div role="status" className={[styles.place, isRaised ? styles.raised : ''].join(' ')}>
      {notice && <Line key={notice.id} notice={notice} />}
    </div>
  )
}

function Line({ notice }: { readonly notice: Notice }) {
  useEffect(() => {
    const timer = setTimeout(() => {
      if (!document.querySelector(`.${styles.line}:is(:hover, :focus-within)`)) dismissNotice(notice.id)
    }, STAY_MS)
    return () => clearTimeout(timer)
  }, [notice.id])
  const undo = async (): Promise<void> => {
    if (!notice.undo) return
    dismissNotice(notice.id)
    await notice.undo()
  }
  return (
    <div className={styles.line}>
      <span>{notice.text}</span>
      {notice.undo && <Button label={sharedText('undo')} onClick={() => void undo()} />}
      <Button
        label={sharedText('dismiss')}
        icon="close"
        iconOnly
        look="quiet"
        onClick={() => dismissNotice(notice.id)}
      />
    </div>
  )
}

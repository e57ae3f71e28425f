import type { Failure } from '../../src/core/errors.ts'
import type { ReactNode } from 'react'

import { Button } from './Button.tsx'
import { CopyDiagnostics } from './CopyDiagnostics.tsx'
import { Detail } from './Detail.tsx'
import { errorAdvice } from './errorAdvice.ts'
import { Notice } from './Notice.tsx'
import { sharedText } from '../words/shared.ts'

interface ErrorNoticeProps {
  readonly failure: Failure
  readonly onRetry?: () => void
  readonly onDismiss?: () => void
  /** Said in place of the advice that goes with the code; then no deed is offered either. */
  readonly children?: ReactNode
}

/** An error: what happened, what is safe, what to do, and the words to send on. */
export function ErrorNotice({ failure, onRetry, onDismiss, children }: ErrorNoticeProps) {
  const { title, advice, deed: usual } = errorAdvice(failure.code)
  const deed = children === undefined ? usual : 'none'
  return (
    <Notice
      title={title}
      tone="danger"
      actions={
        <>
          {deed === 'retry' && (
            <Button label={sharedText('tryAgain')} icon="again" look="strong" onClick={onRetry} />
          )}
          {deed === 'reload' && (
            <Button label={sharedText('reload')} icon="again" look="strong" onClick={reload} />
          )}
          <CopyDiagnostics />
          {onDismiss && <Button label={sharedText('putAway')} look="quiet" onClick={onDismiss} />}
        </>
      }
    >
      <p>{children ?? advice}</p>
      <p>
        <code>
          {failure.code}: <Detail detail={failure.message} />
        </code>
      </p>
    </Notice>
  )
}

/** Loads the page anew. */
export function reload(): void {
  location.reload()
}

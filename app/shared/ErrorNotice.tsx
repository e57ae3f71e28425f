import type { Failure } from '../../src/core/errors.ts'
import type { ReactNode } from 'react'

import { Button } from './Button.tsx'
import { CopyDiagnostics } from './CopyDiagnostics.tsx'
import { errorText } from './errorText.ts'
import { Notice } from './Notice.tsx'

interface ErrorNoticeProps {
  readonly failure: Failure
  readonly onRetry?: () => void
  readonly onDismiss?: () => void
  /** Said in place of the advice that goes with the code; then no deed is offered either. */
  readonly children?: ReactNode
}

/** An error: what happened, what is safe, what to do, and the words to send on. */
export function ErrorNotice({ failure, onRetry, onDismiss, children }: ErrorNoticeProps) {
  const { title, advice, action } = errorText[failure.code]
  const deed = children === undefined ? action : 'none'
  return (
    <Notice
      title={title}
      tone="danger"
      actions={
        <>
          {deed === 'retry' && <Button label="Try again" icon="again" look="strong" onClick={onRetry} />}
          {deed === 'reload' && (
            <Button label="Reload the page" icon="again" look="strong" onClick={reload} />
          )}
          <CopyDiagnostics />
          {onDismiss && <Button label="Put away" look="quiet" onClick={onDismiss} />}
        </>
      }
    >
      <p>{children ?? advice}</p>
      <p>
        <code>
          {failure.code}: {failure.message}
        </code>
      </p>
    </Notice>
  )
}

/** Loads the page anew. */
export function reload(): void {
  location.reload()
}

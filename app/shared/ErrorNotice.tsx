import type { Failure } from '../stores/engine.ts'
import { Button } from './Button.tsx'
import { CopyDiagnostics } from './CopyDiagnostics.tsx'
import { errorText } from './errorText.ts'
import { Notice } from './Notice.tsx'

interface ErrorNoticeProps {
  readonly failure: Failure
  readonly onRetry: () => void
  readonly onDismiss?: () => void
}

/** An error: what happened, what is safe, what to do, and the words to send on. */
export function ErrorNotice({ failure, onRetry, onDismiss }: ErrorNoticeProps) {
  const { title, advice, action } = errorText[failure.code]
  return (
    <Notice
      title={title}
      tone="danger"
      actions={
        <>
          {action === 'retry' && <Button label="Try again" icon="again" look="strong" onClick={onRetry} />}
          {action === 'reload' && (
            <Button label="Reload the page" icon="again" look="strong" onClick={reload} />
          )}
          <CopyDiagnostics />
          {onDismiss && <Button label="Put away" look="quiet" onClick={onDismiss} />}
        </>
      }
    >
      <p>{advice}</p>
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

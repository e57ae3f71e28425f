import { Component } from 'react'
import type { ReactNode } from 'react'

import { Button } from './Button.tsx'
import { CopyDiagnostics } from './CopyDiagnostics.tsx'
import { reload } from './ErrorNotice.tsx'
import { Notice } from './Notice.tsx'
import { sharedText } from '../words/shared.ts'

interface ErrorBoundaryProps {
  readonly children: ReactNode
}

interface ErrorBoundaryState {
  readonly message: string | null
}

/** Catches what the page itself gets wrong, so that nobody looks at an empty window. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, ErrorBoundaryState> {
  override state: ErrorBoundaryState = { message: null }

  static getDerivedStateFromError(thrown: unknown): ErrorBoundaryState {
    return { message: thrown instanceof Error ? thrown.message : String(thrown) }
  }

  override render(): ReactNode {
    const { message } = this.state
    if (message === null) return this.props.children
    return (
      <Notice
        title={sharedText('stumbled')}
        tone="danger"
        actions={
          <>
            <Button label={sharedText('reload')} icon="again" look="strong" onClick={reload} />
            <CopyDiagnostics />
          </>
        }
      >
        <p>{sharedText('stumbled.about')}</p>
        <p>
          <code lang="en">{message}</code>
        </p>
      </Notice>
    )
  }
}

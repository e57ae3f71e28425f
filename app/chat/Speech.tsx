import { Fragment, memo } from 'react'
import type { ReactNode } from 'react'

import { parseSpeech } from './parseSpeech.ts'
import type { Span } from './parseSpeech.ts'
import styles from './Speech.module.css'

interface SpeechProps {
  readonly text: string
  readonly isStreaming?: boolean
}

/** What somebody says, its actions and quotes set apart. */
export const Speech = memo(function Speech({ text, isStreaming = false }: SpeechProps) {
  return parseSpeech(text, { isStreaming }).map((spans, index) => (
    // Paragraphs only ever grow at the end, so their place is their identity.
    // oxlint-disable-next-line react/no-array-index-key
    <p key={index} className={styles.paragraph}>
      {renderSpans(spans)}
    </p>
  ))
})

function renderSpans(spans: readonly Span[]): ReactNode {
  return spans.map((span, index) => {
    switch (span.kind) {
      case 'text':
        // oxlint-disable-next-line react/no-array-index-key
        return <Fragment key={index}>{span.text}</Fragment>
      case 'action':
        return (
          // oxlint-disable-next-line react/no-array-index-key
          <em key={index} className={styles.action}>
            {renderSpans(span.spans)}
          </em>
        )
      case 'stress':
        // oxlint-disable-next-line react/no-array-index-key
        return <strong key={index}>{renderSpans(span.spans)}</strong>
      case 'quote':
        return (
          // oxlint-disable-next-line react/no-array-index-key
          <span key={index} className={styles.quote}>
            {renderSpans(span.spans)}
          </span>
        )
      default:
        return span satisfies never
    }
  })
}

import { Fragment, memo } from 'react'
import type { ReactNode } from 'react'

import { parseSpeech } from './parseSpeech.ts'
import type { SpeechSpan } from './parseSpeech.ts'
import styles from './Speech.module.css'

interface SpeechProps {
  readonly text: string
  readonly isStreaming?: boolean
}

/** What somebody says, its actions and quotes set apart. Text only ever grows at its end: a part's place is its key. */
export const Speech = memo(function Speech({ text, isStreaming = false }: SpeechProps) {
  return parseSpeech(text, { isStreaming }).map((spans, index) => (
    <p key={index} className={styles.paragraph}>
      {renderSpans(spans)}
    </p>
  ))
})

function renderSpans(spans: readonly SpeechSpan[]): ReactNode {
  return spans.map((span, index) => {
    switch (span.kind) {
      case 'text':
        return <Fragment key={index}>{span.text}</Fragment>
      case 'action':
        return (
          <em key={index} className={styles.action}>
            {renderSpans(span.spans)}
          </em>
        )
      case 'stress':
        return <strong key={index}>{renderSpans(span.spans)}</strong>
      case 'quote':
        return (
          <span key={index} className={styles.quote}>
            {renderSpans(span.spans)}
          </span>
        )
      default:
        return span satisfies never
    }
  })
}

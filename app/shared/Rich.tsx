import { cloneElement, Fragment } from 'react'
import type { ReactElement } from 'react'

interface RichProps {
  readonly text: string
  /** What the words between `<NAME>` and `</NAME>` are put into. */
  readonly tags: Readonly<Record<string, ReactElement>>
}

/** A text of which some words are set apart. */
export function Rich({ text, tags }: RichProps) {
  // Plain words, a tag's name, its words, and plain words again.
  const pieces = text.split(/<(\w+)>(.*?)<\/\1>/)
  return pieces.map((piece, index) => {
    if (index % 3 === 1) return null
    const tag = index % 3 === 2 ? tags[pieces[index - 1] ?? ''] : undefined
    return <Fragment key={index}>{tag ? cloneElement(tag, {}, piece) : piece}</Fragment>
  })
}

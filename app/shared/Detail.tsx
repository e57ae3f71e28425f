import { detailText } from '../words/details.ts'

interface DetailProps {
  readonly detail: string
  /** Whether it stands there as a sentence. */
  readonly isSentence?: boolean
}

/** A paragraph of what an error says of itself. */
export function DetailParagraph({ detail }: Pick<DetailProps, 'detail'>) {
  return (
    <p>
      <Detail detail={detail} isSentence />
    </p>
  )
}

/** What an error says of itself, in the language of the page, or in English where it is known in no other. */
export function Detail({ detail, isSentence = false }: DetailProps) {
  const text = detailText(detail)
  const isEnglish = text === detail
  const end = isEnglish ? '.' : '。'
  const isEnded = /[.。]$/.test(text)
  return (
    <span lang={isEnglish ? 'en' : undefined}>
      {text}
      {isSentence && !isEnded && end}
    </span>
  )
}

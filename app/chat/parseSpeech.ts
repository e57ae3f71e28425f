/*
 * The little of Markdown that role-play needs: *action*, **stress**, and quotes. Everything else is text.
 */

/** A run of a paragraph. */
export type SpeechSpan =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action' | 'stress' | 'quote'; readonly spans: readonly SpeechSpan[] }

/** Opening marks of direct speech and what closes them. */
const quotes: Readonly<Record<string, string>> = { '"': '"', '“': '”', '«': '»', '„': '“' }

/** Paragraphs of spans. A mark that is not closed is text, except at the end of text that still streams. */
export function parseSpeech(text: string, { isStreaming = false } = {}): readonly (readonly SpeechSpan[])[] {
  const paragraphs = text.split(/\n+/).filter((line) => line.trim() !== '')
  return paragraphs.map((paragraph, index) =>
    parseSpans(paragraph, isStreaming && index === paragraphs.length - 1),
  )
}

function parseSpans(text: string, isOpen: boolean): readonly SpeechSpan[] {
  const spans: SpeechSpan[] = []
  let plain = ''
  const flush = (): void => {
    if (plain) spans.push({ kind: 'text', text: plain })
    plain = ''
  }
  for (let at = 0; at < text.length;) {
    const mark = markAt(text, at)
    const end = mark ? closingOf(text, at + mark.open.length, mark.close) : -1
    const isCut = end < 0 && isOpen && mark !== undefined && at + mark.open.length < text.length
    if (!mark || (end < 0 && !isCut)) {
      plain += text.charAt(at)
      at += 1
      continue
    }
    flush()
    const inner = text.slice(at + mark.open.length, end < 0 ? text.length : end)
    const content = parseSpans(inner, isCut)
    // The marks of a quote are part of the sentence; asterisks are not.
    const spoken = mark.kind === 'quote' ? inQuotes(mark.open, content, end < 0 ? '' : mark.close) : content
    spans.push({ kind: mark.kind, spans: spoken })
    at = end < 0 ? text.length : end + mark.close.length
  }
  flush()
  return spans
}

function inQuotes(open: string, content: readonly SpeechSpan[], close: string): readonly SpeechSpan[] {
  const closing: readonly SpeechSpan[] = close ? [{ kind: 'text', text: close }] : []
  return [{ kind: 'text', text: open }, ...content, ...closing]
}

interface Mark {
  readonly kind: 'action' | 'stress' | 'quote'
  readonly open: string
  readonly close: string
}

function markAt(text: string, at: number): Mark | undefined {
  const character = text.charAt(at)
  const before = text.charAt(at - 1)
  const after = (length: number): string => text.charAt(at + length)
  if (text.startsWith('**', at)) {
    return isInk(after(2)) ? { kind: 'stress', open: '**', close: '**' } : undefined
  }
  if (character === '*') return isInk(after(1)) ? { kind: 'action', open: '*', close: '*' } : undefined
  const close = quotes[character]
  // A straight quote opens only at the start of a word: 6" and ditto marks are text.
  const opens = character !== '"' || before === '' || /[\s(—–*-]/.test(before)
  return close && opens && isInk(after(1)) ? { kind: 'quote', open: character, close } : undefined
}

/** Where the closing mark lies, or -1: it must follow ink, and a single asterisk must not be half of a double one. */
function closingOf(text: string, from: number, close: string): number {
  for (let at = text.indexOf(close, from + 1); at >= 0; at = text.indexOf(close, at + 1)) {
    if (close === '*' && text.charAt(at + 1) === '*') {
      at += 1
      continue
    }
    if (close.startsWith('*') && !isInk(text.charAt(at - 1))) continue
    return at
  }
  return -1
}

function isInk(character: string): boolean {
  return character !== '' && character.trim() !== ''
}

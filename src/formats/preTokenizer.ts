import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'

const GPT2_WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
const PUNCTUATION = String.raw`[\p{P}!-/:-@\[-\x60{-~]`

/**
 * The `pre_tokenizer` of a tokenizer.json, said in the parts on which @huggingface/tokenizers 0.2 agrees with Hugging
 * Face's own library. The JavaScript library takes only [0-9] for digits, JavaScript's white space (with U+FEFF, without
 * U+0085), runs of punctuation for single marks, and knows neither the merging behaviours of `Split` nor the splitting of
 * `Metaspace`; all of these can be written as `Split` with a regular expression, which it translates faithfully.
 *
 * @param isFirst whether it is for the very beginning of a text.
 */
export function faithfulPreTokenizer(config: unknown, isFirst: boolean): unknown {
  if (!isJsonRecord(config)) return config ?? null
  const behavior = ownField(config, 'behavior')
  switch (ownField(config, 'type')) {
    case 'Sequence': {
      const parts = ownField(config, 'pretokenizers')
      return Array.isArray(parts)
        ? sequence(...parts.map((part) => faithfulPreTokenizer(part, isFirst)))
        : config
    }
    case 'Digits':
      return ownField(config, 'individual_digits') === true
        ? isolate(String.raw`\p{N}`)
        : isolate(String.raw`\p{N}+`)
    case 'Punctuation':
      return split(PUNCTUATION, typeof behavior === 'string' ? behavior : 'Isolated', false)
    case 'Whitespace':
      return split(String.raw`\w+|[^\w\s]+`, 'Removed', true)
    case 'WhitespaceSplit':
      return split(String.raw`\s+`, 'Removed', false)
    case 'ByteLevel':
      return byteLevel(config)
    case 'Metaspace':
      return metaspace(config, isFirst)
    case 'Split': {
      const pattern = patternSource(ownField(config, 'pattern'))
      if (pattern === undefined) return config
      return split(
        pattern,
        typeof behavior === 'string' ? behavior : 'Isolated',
        ownField(config, 'invert') === true,
      )
    }
    default:
      return config
  }
}

function sequence(...pretokenizers: readonly unknown[]): unknown {
  return { type: 'Sequence', pretokenizers }
}

function isolate(regex: string): unknown {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false }
}

function split(pattern: string, behavior: string, invert: boolean): unknown {
  switch (behavior.toLowerCase()) {
    case 'removed':
      return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Removed', invert }
    case 'mergedwithprevious':
      return isolate(String.raw`(?:(?!${pattern})[\s\S])*(?:${pattern})`)
    case 'mergedwithnext':
      return isolate(String.raw`(?:${pattern})(?:(?!${pattern})[\s\S])*`)
    case 'contiguous':
      return isolate(`(?:${pattern})+`)
    default:
      return isolate(pattern)
  }
}

function byteLevel(config: JsonRecord): unknown {
  const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false }
  const parts: unknown[] = []
  // The reference defaults both to true.
  if (ownField(config, 'add_prefix_space') !== false) {
    parts.push({ type: 'Replace', pattern: { Regex: String.raw`\A[^ ]` }, content: ' $&' })
  }
  if (ownField(config, 'use_regex') !== false) parts.push(isolate(GPT2_WORDS))
  return sequence(...parts, bytes)
}

function metaspace(config: JsonRecord, isFirst: boolean): unknown {
  const replacement = ownField(config, 'replacement')
  const mark = typeof replacement === 'string' ? replacement : '\u2581'
  const scheme = ownField(config, 'prepend_scheme')
  const isNever = ownField(config, 'add_prefix_space') === false || (scheme === 'first' && !isFirst)
  const marks = isNever ? { ...config, prepend_scheme: 'never' } : config
  return ownField(config, 'split') === false
    ? marks
    : sequence(marks, split(escapeRegex(mark), 'MergedWithNext', false))
}

function patternSource(pattern: unknown): string | undefined {
  if (!isJsonRecord(pattern)) return undefined
  const regex = ownField(pattern, 'Regex')
  if (typeof regex === 'string') return regex
  const literal = ownField(pattern, 'String')
  return typeof literal === 'string' ? escapeRegex(literal) : undefined
}

function escapeRegex(literal: string): string {
  return literal.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

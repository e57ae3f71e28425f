import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers'

import { HycoraError } from '../core/errors.ts'
import { ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { tokenSplitter } from './addedTokens.ts'
import { faithfulPreTokenizer } from './preTokenizer.ts'
import { isControl } from './quotedTokens.ts'
import type { QuotedTokens } from './quotedTokens.ts'

const FILE = 'tokenizer.json'
/** Some hundred kilobytes in all. */
const MOST_REMEMBERED = 512
const MOST_REMEMBERED_CHARACTERS = 4096

/** What a stretch of a text is to the model. */
interface Stretch {
  /** Whether it stands at the very beginning of the text. */
  readonly isFirst: boolean
  /** Whether it holds what spells a control token out and is none. */
  readonly isQuoted: boolean
  readonly isNormalised: boolean
}

/**
 * What turns texts into ids as Hugging Face's library does, no special token added: tokens are found first, those that are
 * stored as they are in the text as it is, the others in what the normaliser makes of it; @huggingface/tokenizers encodes
 * what lies between them, over a pre-tokenizer rewritten where it differs.
 *
 * @param tokenizerJson the parsed file; `model` its model with its type, `added` its tokens and those of the other file.
 * @throws HycoraError `format-invalid`, or `format-unsupported` for parts that are not known.
 */
export function openTextToIds(
  tokenizerJson: JsonRecord,
  { model, added, quotes }: { model: JsonRecord; added: readonly JsonRecord[]; quotes: QuotedTokens },
): (text: string) => number[] {
  const libraries = new Map<string, LibraryTokenizer>()
  const controlIds = new Set(added.filter(isControl).map((token) => Number(ownField(token, 'id'))))
  const libraryFor = (stretch: Stretch): LibraryTokenizer => {
    const key = nameOf(stretch)
    const known = libraries.get(key)
    if (known) return known
    const parts = {
      model: stretch.isQuoted ? withoutPieces(model, controlIds) : model,
      normalizer: stretch.isNormalised ? null : (ownField(tokenizerJson, 'normalizer') ?? null),
      pre_tokenizer: faithfulPreTokenizer(ownField(tokenizerJson, 'pre_tokenizer'), stretch.isFirst),
    }
    const library = createLibraryTokenizer(parts)
    libraries.set(key, library)
    return library
  }
  const { normalizer } = libraryFor({ isFirst: true, isQuoted: false, isNormalised: false })
  const isMatchedNormal = (token: JsonRecord): boolean =>
    normalizer !== null && (ownField(token, 'normalized') ?? ownField(token, 'special') !== true) === true
  const normalise = (text: string): string => normalizer?.normalize(text) ?? text
  const asStored = splitterOf(
    added.filter((token) => !isMatchedNormal(token)),
    (text) => text,
  )
  const normal = added.filter(isMatchedNormal)
  const [asNormal, asNormalQuoted] = [normal, normal.filter((token) => !isControl(token))].map((tokens) =>
    splitterOf(tokens, normalise),
  )

  const encodePlain = remembering((text, stretch) => {
    const ids: readonly (number | undefined)[] = libraryFor(stretch).encode(text, {
      add_special_tokens: false,
    }).ids
    // Without an unknown token the library gives undefined where the reference gives nothing.
    return ids.filter((id) => id !== undefined)
  })
  const encodeStretch = (text: string, isFirst: boolean): readonly number[] => {
    const said = quotes.unquote(text)
    const isQuoted = said !== text
    const split = isQuoted ? asNormalQuoted : asNormal
    if (normal.length === 0 || !split) return encodePlain(said, { isFirst, isQuoted, isNormalised: false })
    return split(normalise(said)).flatMap((section) =>
      section.kind === 'token'
        ? [section.id]
        : encodePlain(section.text, {
            isFirst: isFirst && section.start === 0,
            isQuoted,
            isNormalised: true,
          }),
    )
  }
  return (text) =>
    asStored(text).flatMap((section) =>
      section.kind === 'token' ? [section.id] : encodeStretch(section.text, section.start === 0),
    )
}

function nameOf({ isFirst, isQuoted, isNormalised }: Stretch): string {
  return `${isFirst} ${isQuoted} ${isNormalised}`
}

/**
 * Remembers what it encoded last: chats and rows of one role have their lines in common, and each is read as often as there
 * are beginnings of it to compare with.
 */
function remembering(
  encode: (text: string, stretch: Stretch) => readonly number[],
): (text: string, stretch: Stretch) => readonly number[] {
  const known = new Map<string, Map<string, readonly number[]>>()
  return (text, stretch) => {
    if (text.length > MOST_REMEMBERED_CHARACTERS) return encode(text, stretch)
    const name = nameOf(stretch)
    const texts = known.get(name) ?? new Map<string, readonly number[]>()
    known.set(name, texts)
    const ids = texts.get(text) ?? encode(text, stretch)
    // What was asked for last stands last.
    texts.delete(text)
    texts.set(text, ids)
    const [oldest] = texts.keys()
    if (texts.size > MOST_REMEMBERED && oldest !== undefined) texts.delete(oldest)
    return ids
  }
}

/** @param content what a token is found by, of what it is called. */
function splitterOf(
  tokens: readonly JsonRecord[],
  content: (text: string) => string,
): ReturnType<typeof tokenSplitter> {
  return tokenSplitter(
    tokens.map((token) => ({ token, content: content(String(ownField(token, 'content'))) })),
  )
}

/** A Unigram model in which these pieces are never found in a text; the others find a piece only by merging up to it. */
function withoutPieces(model: JsonRecord, ids: ReadonlySet<number>): JsonRecord {
  const vocab = ownField(model, 'vocab')
  if (!Array.isArray(vocab)) return model
  const hidden = vocab.map((entry: unknown, id) =>
    ids.has(id) && Array.isArray(entry) ? [`\u{10fffb}${id}`, entry[1]] : entry,
  )
  return { ...model, vocab: hidden }
}

function createLibraryTokenizer(
  parts: Readonly<Record<'model' | 'normalizer' | 'pre_tokenizer', unknown>>,
): LibraryTokenizer {
  try {
    // Decoding and special tokens are not the library's part; without them it cannot add or clean up anything.
    return new LibraryTokenizer({ ...parts, added_tokens: [], post_processor: null, decoder: null }, {})
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const isUnknown = reason.startsWith('Unknown ')
    throw new HycoraError(
      isUnknown ? 'format-unsupported' : 'format-invalid',
      `${FILE} cannot be used: ${reason}`,
      { cause: error },
    )
  }
}

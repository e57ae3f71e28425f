import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'
import { isControl, quotedTokens } from './quotedTokens.ts'
import { openTextToIds } from './textToIds.ts'
import { compileTokenDecoder, type TokenDecoder } from './tokenDecoder.ts'

/** Text as it is generated; the pieces together are `decode` of all ids. */
export interface TextStream {
  /** The text that this id settles, possibly none; never half a character. */
  push(id: number): string
  /** What is still held back. */
  end(): string
}

export interface Tokenizer {
  /** One more than the highest id. */
  readonly vocabularySize: number
  /** The ids of `added_tokens`: control tokens such as `<|im_end|>`, found in the text before anything else. */
  readonly addedIds: ReadonlySet<number>
  /** The ids of a text; no special token is added, those that the text spells out are found unless they are quoted. */
  encode(text: string): number[]
  /** A text as content of a template: the control tokens that it spells out are letters to `encode`. */
  quote(text: string): string
  /** The text as it reads, nothing quoted. */
  unquote(text: string): string
  /** The text of ids; no special token is left out, no space cleaned up, unknown ids give nothing. */
  decode(ids: Iterable<number>): string
  tokenId(token: string): number | undefined
  stream(): TextStream
}

interface Vocabulary {
  readonly size: number
  readonly added: readonly JsonRecord[]
  readonly addedIds: ReadonlySet<number>
  readonly idOfToken: ReadonlyMap<string, number>
  readonly tokenOfId: ReadonlyMap<number, string>
}

const FILE = 'tokenizer.json'
const MAX_ID = 2 ** 24

/**
 * A tokenizer from the parsed `tokenizer.json` and `tokenizer_config.json` (undefined where there is none; it only adds
 * tokens that the first does not list). It equals Hugging Face's library: `openTextToIds` encodes, `compileTokenDecoder`
 * decodes.
 *
 * @throws HycoraError `format-invalid`, or `format-unsupported` for parts that are not known.
 */
export function loadTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown): Tokenizer {
  check(isJsonRecord(tokenizerJson), 'format-invalid', () => `${FILE} is not a JSON object`)
  const model = ownField(tokenizerJson, 'model')
  check(isJsonRecord(model), 'format-invalid', () => `${FILE} has no model`)
  checkModel(model)
  const vocabulary = readVocabulary(tokenizerJson, model, tokenizerConfig)
  const startDecoder = compileTokenDecoder(ownField(tokenizerJson, 'decoder'), FILE)
  const quotes = quotedTokens(vocabulary.added.filter(isControl))
  const encode = openTextToIds(tokenizerJson, {
    model: { ...model, type: modelType(model) },
    added: vocabulary.added,
    quotes,
  })

  const pushId = (decoder: TokenDecoder, id: number): string => {
    const token = vocabulary.tokenOfId.get(id)
    return token === undefined ? '' : decoder.push(token)
  }
  return {
    vocabularySize: vocabulary.size,
    addedIds: vocabulary.addedIds,
    encode,
    quote: (text) => quotes.quote(text),
    unquote: (text) => quotes.unquote(text),
    decode(ids) {
      const decoder = startDecoder()
      const pieces = Array.from(ids, (id) => pushId(decoder, id))
      return pieces.join('') + decoder.end()
    },
    tokenId: (token) => vocabulary.idOfToken.get(token),
    stream() {
      const decoder = startDecoder()
      return { push: (id) => pushId(decoder, id), end: () => decoder.end() }
    },
  }
}

/** The type of a model; old files leave it out. */
function modelType(model: JsonRecord): unknown {
  const type = ownField(model, 'type')
  if (type !== undefined) return type
  if (Array.isArray(ownField(model, 'vocab'))) return 'Unigram'
  return ownField(model, 'merges') === undefined ? 'WordPiece' : 'BPE'
}

function checkModel(model: JsonRecord): void {
  const type = modelType(model)
  check(
    type === 'BPE' || type === 'Unigram' || type === 'WordPiece',
    'format-unsupported',
    () => `${FILE} has a model of type ${JSON.stringify(type)}, expected BPE, Unigram or WordPiece`,
  )
  const merges = ownField(model, 'merges')
  check(
    type !== 'BPE' || (Array.isArray(merges) && merges.every(isMerge)),
    'format-invalid',
    () => `${FILE} has merges that are not pairs of tokens`,
  )
}

function isMerge(merge: unknown): boolean {
  if (typeof merge === 'string') return merge.includes(' ')
  return Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string')
}

function readVocabulary(tokenizerJson: JsonRecord, model: JsonRecord, tokenizerConfig: unknown): Vocabulary {
  const idOfToken = new Map<string, number>()
  const tokenOfId = new Map<number, string>()
  let size = 0
  const put = (token: unknown, id: unknown): void => {
    check(
      typeof token === 'string' && typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < MAX_ID,
      'format-invalid',
      () =>
        `${FILE} gives the token ${JSON.stringify(token)?.slice(0, 64)} the id ${String(id)}, expected an integer below 2^24`,
    )
    idOfToken.set(token, id)
    tokenOfId.set(id, token)
    size = Math.max(size, id + 1)
  }
  const vocab = ownField(model, 'vocab')
  if (Array.isArray(vocab)) {
    for (const [id, entry] of vocab.entries()) put(Array.isArray(entry) ? entry[0] : undefined, id)
  } else {
    check(isJsonRecord(vocab), 'format-invalid', () => `${FILE} has no model.vocab`)
    for (const [token, id] of Object.entries(vocab)) put(token, id)
  }

  const listed = ownField(tokenizerJson, 'added_tokens') ?? []
  check(
    Array.isArray(listed) && listed.every(isJsonRecord),
    'format-invalid',
    () => `${FILE} has added_tokens that are not objects`,
  )
  const added: JsonRecord[] = [...listed]
  for (const token of added) put(ownField(token, 'content'), ownField(token, 'id'))
  for (const token of addedByConfig(tokenizerConfig)) {
    const [content, id] = [ownField(token, 'content'), ownField(token, 'id')]
    if (typeof content !== 'string' || idOfToken.has(content) || tokenOfId.has(Number(id))) continue
    put(content, id)
    added.push(token)
  }
  return {
    size,
    added,
    addedIds: new Set(added.map((token) => Number(ownField(token, 'id')))),
    idOfToken,
    tokenOfId,
  }
}

/** The tokens of `added_tokens_decoder`, an object from id to token. */
function addedByConfig(tokenizerConfig: unknown): readonly JsonRecord[] {
  if (!isJsonRecord(tokenizerConfig)) return []
  const decoder = ownField(tokenizerConfig, 'added_tokens_decoder')
  if (!isJsonRecord(decoder)) return []
  return Object.entries(decoder).flatMap(([id, token]) =>
    isJsonRecord(token) ? [{ ...token, id: Number(id) }] : [],
  )
}

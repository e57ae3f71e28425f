import { ReplaceDecoder } from '@huggingface/tokenizers'

import { HycoraError } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'

type Emit = (piece: string) => void

/** One step from tokens to text; `push` may hold back what later tokens can still change, `end` lets go of it. */
interface DecodeStep {
  push(piece: string, emit: Emit): void
  end(emit: Emit): void
}

/** How a step is made; `fuses` says that all it emits, in pieces, is one token to the steps after it. */
interface StepKind {
  readonly create: () => DecodeStep
  readonly fuses: boolean
}

/** Turns tokens into text as they come; the pieces together are what decoding all tokens at once gives. */
export interface TokenDecoder {
  /** The text that this token settles, possibly none; never half a character. */
  push(token: string): string
  /** The text still held back: at most an unfinished character or run of byte tokens. */
  end(): string
}

/**
 * Compiles the `decoder` of a tokenizer.json; each call of the result starts a new text.
 *
 * Reference: huggingface/tokenizers, `tokenizers/src/decoders` (the JavaScript library differs from it in `ByteLevel`,
 * `ByteFallback` and `Metaspace`).
 *
 * @throws HycoraError `format-unsupported` for a decoder that is not known.
 */
export function compileTokenDecoder(config: unknown, name: string): () => TokenDecoder {
  const kinds: StepKind[] = []
  collectSteps(config, name, { fused: false }, kinds)
  return () => {
    const steps = kinds.map((kind) => kind.create())
    const run = (from: number, piece: string, emit: Emit): void => {
      const step = steps[from]
      if (step) step.push(piece, (next) => run(from + 1, next, emit))
      else emit(piece)
    }
    return {
      push: (token) => gather((emit) => run(0, token, emit)),
      end: () =>
        gather((emit) => {
          for (const [index, step] of steps.entries()) step.end((piece) => run(index + 1, piece, emit))
        }),
    }
  }
}

function gather(work: (emit: Emit) => void): string {
  let text = ''
  work((piece) => (text += piece))
  return text
}

function collectSteps(config: unknown, name: string, state: { fused: boolean }, kinds: StepKind[]): void {
  if (config === null || config === undefined) {
    kinds.push({ create: joinWithSpaces, fuses: true })
    return
  }
  const type = isJsonRecord(config) ? ownField(config, 'type') : undefined
  if (!isJsonRecord(config) || typeof type !== 'string') {
    throw new HycoraError('format-invalid', `${name}: the decoder has no type`)
  }
  if (type === 'Sequence') {
    const decoders = ownField(config, 'decoders')
    if (!Array.isArray(decoders))
      throw new HycoraError('format-invalid', `${name}: a Sequence has no decoders`)
    for (const decoder of decoders) collectSteps(decoder ?? {}, name, state, kinds)
    return
  }
  const kind = stepKind(type, config, name, state.fused)
  kinds.push(kind)
  state.fused ||= kind.fuses
}

function stepKind(type: string, config: JsonRecord, name: string, fused: boolean): StepKind {
  const whole = (create: () => DecodeStep): StepKind => ({
    create: fused ? () => gathered(create()) : create,
    fuses: false,
  })
  switch (type) {
    case 'Fuse':
      return { create: () => perToken((token) => token), fuses: true }
    case 'ByteLevel':
      return { create: byteLevel, fuses: true }
    case 'ByteFallback':
      return whole(byteFallback)
    case 'Strip':
      return fused
        ? { create: () => stripStream(stripOptions(config)), fuses: true }
        : { create: () => perToken((token) => strip(token, stripOptions(config))), fuses: false }
    case 'Replace':
      return replaceKind(config, name, whole)
    case 'Metaspace':
      return whole(() => metaspace(config))
    case 'WordPiece':
      return whole(() => wordPiece(config))
    case 'BPEDecoder':
      return whole(() => suffixed(textField(config, 'suffix', '</w>')))
    default:
      throw new HycoraError('format-unsupported', `${name}: the decoder ${type} is not known`)
  }
}

/** A step that treats each token by itself. */
function perToken(change: (token: string, index: number) => string): DecodeStep {
  let index = 0
  return {
    push(token, emit) {
      emit(change(token, index))
      index++
    },
    end() {},
  }
}

/** A step over one token that arrives in pieces: it waits for the last of them. */
function gathered(step: DecodeStep): DecodeStep {
  let text = ''
  return {
    push(piece) {
      text += piece
    },
    end(emit) {
      if (text) step.push(text, emit)
      step.end(emit)
    },
  }
}

function joinWithSpaces(): DecodeStep {
  return perToken((token, index) => (index === 0 ? token : ` ${token}`))
}

/** The byte of each character of the byte-level alphabet: printable Latin-1 stands for itself, the rest from U+0100 on. */
const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(
  ((): [string, number][] => {
    let next = 256
    return Array.from({ length: 256 }, (_, byte) => {
      const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
      return [String.fromCharCode(printable ? byte : next++), byte]
    })
  })(),
)

function byteLevel(): DecodeStep {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const encoder = new TextEncoder()
  return {
    push(token, emit) {
      const bytes = Array.from(token, (character) => BYTE_OF_CHARACTER.get(character) ?? -1)
      // A token with any character outside the alphabet stands for itself.
      const own = bytes.includes(-1) ? encoder.encode(token) : Uint8Array.from(bytes)
      emit(decoder.decode(own, { stream: true }))
    },
    end(emit) {
      emit(decoder.decode())
    },
  }
}

/** Tokens `<0xE4>` are bytes; a run of them that is not UTF-8 as a whole becomes one U+FFFD a byte. */
function byteFallback(): DecodeStep {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let run: number[] = []
  const flush = (emit: Emit): void => {
    if (run.length === 0) return
    let text = '\ufffd'.repeat(run.length)
    try {
      text = decoder.decode(Uint8Array.from(run))
    } catch {
      // Not UTF-8: the replacement characters stand.
    }
    run = []
    emit(text)
  }
  return {
    push(token, emit) {
      const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1]
      if (hex) {
        run.push(Number.parseInt(hex, 16))
        return
      }
      flush(emit)
      emit(token)
    },
    end: flush,
  }
}

interface StripOptions {
  readonly content: string
  readonly start: number
  readonly stop: number
}

function stripOptions(config: JsonRecord): StripOptions {
  return {
    content: textField(config, 'content', ' '),
    start: countField(config, 'start'),
    stop: countField(config, 'stop'),
  }
}

/** How many of at most `limit` characters at one end are `content`. */
function runLength(characters: readonly string[], content: string, limit: number): number {
  let count = 0
  while (count < limit && characters[count] === content) count++
  return count
}

function strip(token: string, { content, start, stop }: StripOptions): string {
  const characters = Array.from(token)
  const first = runLength(characters, content, start)
  const last = characters.length - runLength(characters.toReversed(), content, stop)
  return characters.slice(first, Math.max(first, last)).join('')
}

/** `strip` of one token that arrives in pieces: only what may be cut from its end is held back. */
function stripStream({ content, start, stop }: StripOptions): DecodeStep {
  let toStrip = start
  let held = 0
  return {
    push(piece, emit) {
      let characters = Array.from(piece)
      const cut = runLength(characters, content, toStrip)
      toStrip = cut === characters.length ? toStrip - cut : 0
      characters = characters.slice(cut)
      if (characters.length === 0) return
      characters.unshift(...Array.from({ length: held }, () => content))
      held = runLength(characters.toReversed(), content, stop)
      emit(characters.slice(0, characters.length - held).join(''))
    },
    end() {},
  }
}

function replaceKind(
  config: JsonRecord,
  name: string,
  whole: (create: () => DecodeStep) => StepKind,
): StepKind {
  const content = textField(config, 'content', '')
  const pattern = ownField(config, 'pattern')
  const literal = isJsonRecord(pattern) ? ownField(pattern, 'String') : undefined
  if (typeof literal === 'string')
    return whole(() => perToken((token) => token.replaceAll(literal, () => content)))
  const regex = isJsonRecord(pattern) ? ownField(pattern, 'Regex') : undefined
  if (typeof regex !== 'string') {
    throw new HycoraError('format-invalid', `${name}: the decoder Replace has no pattern`)
  }
  const replacer = new ReplaceDecoder({ type: 'Replace', pattern: { Regex: regex }, content })
  return whole(() => perToken((token) => replacer.decode_chain([token]).join('')))
}

/** The replacement character is a space, and nothing in the first token. */
function metaspace(config: JsonRecord): DecodeStep {
  const replacement = textField(config, 'replacement', '\u2581')
  const keepsFirst =
    ownField(config, 'prepend_scheme') === 'never' || ownField(config, 'add_prefix_space') === false
  return perToken((token, index) => token.replaceAll(replacement, index === 0 && !keepsFirst ? '' : ' '))
}

function wordPiece(config: JsonRecord): DecodeStep {
  const prefix = textField(config, 'prefix', '##')
  const cleans = ownField(config, 'cleanup') !== false
  return perToken((token, index) => {
    const joined = index === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
    return cleans ? cleanUp(joined) : joined
  })
}

function cleanUp(text: string): string {
  const contracted = text.replaceAll(/ ([.?!,])/g, '$1').replaceAll(" ' ", "'")
  return contracted.replaceAll(/ (n't|'m|'s|'ve|'re)/g, '$1').replaceAll(' do not', " don't")
}

/** A word's last token carries `suffix`: a space, except at the end of the text. */
function suffixed(suffix: string): DecodeStep {
  let held: string | null = null
  return {
    push(token, emit) {
      if (held !== null) emit(held.replaceAll(suffix, ' '))
      held = token
    },
    end(emit) {
      if (held !== null) emit(held.replaceAll(suffix, ''))
    },
  }
}

function textField(config: JsonRecord, key: string, fallback: string): string {
  const value = ownField(config, key)
  return typeof value === 'string' ? value : fallback
}

function countField(config: JsonRecord, key: string): number {
  const value = ownField(config, key)
  return typeof value === 'number' && value >= 0 && value <= 1024 ? Math.floor(value) : 0
}

import type { FileSet } from '../core/bytes.ts'
import { HycoraError, check } from '../core/errors.ts'
import { chatTemplateSource, endOfTurnIds, loadChatTemplate } from '../formats/chatTemplate.ts'
import type { ChatTemplate } from '../formats/chatTemplate.ts'
import type { Pack } from '../formats/pack.ts'
import { loadTokenizer } from '../formats/tokenizer.ts'
import type { Tokenizer } from '../formats/tokenizer.ts'
import type { Decoder } from './decoder/decoder.ts'
import { fingerprint } from './decoder/fingerprint.ts'
import { openDecoder, openExported, readJson } from './graph/openBackbone.ts'
import type { ExportedModel } from './graph/openBackbone.ts'

/** How a backbone reads and writes text, where the files for it are there. */
export interface TextModel {
  /** Empty where config.json or tokenizer.json is missing, or the graph is not recognised. */
  readonly fingerprint: string
  readonly tokenizer: Tokenizer | null
  readonly template: ChatTemplate | null
  /** Tokens that end a turn. */
  readonly stopIds: readonly number[]
}

/** How text becomes tokens and turns become text. */
export interface TextCodec {
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
  /** Tokens that end a turn. */
  readonly stopIds: readonly number[]
}

/** What a backbone reads text with. @throws HycoraError `format-invalid` where it lacks tokenizer or chat template. */
export function codecOf({ tokenizer, template, stopIds }: TextModel, name: string): TextCodec {
  check(tokenizer, 'format-invalid', () => `${name} has no tokenizer.json`)
  check(template, 'format-invalid', () => `${name} has no chat template`)
  return { tokenizer, template, stopIds }
}

/** A backbone's folder, read: its decoder and how it reads and writes text. */
export interface ChatModel extends TextModel {
  readonly decoder: Decoder
  readonly modelFile: string
}

async function readText(files: FileSet, path: string): Promise<string | undefined> {
  const source = await files.open(path)
  if (!source) return undefined
  const bytes = await source.read(0, source.sizeBytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new HycoraError('format-invalid', `${path} is not UTF-8 text`)
  }
}

/** The tokenizer of a folder, or null where it has none. */
export async function openTokenizer(files: FileSet): Promise<Tokenizer | null> {
  const json = await readJson(files, 'tokenizer.json')
  return json === undefined ? null : loadTokenizer(json, await readJson(files, 'tokenizer_config.json'))
}

/**
 * Reads a backbone's folder: the graph is recognised, nothing of the weights is read yet.
 *
 * @throws HycoraError `format-invalid` or `format-unsupported` naming the file and what is wrong with it.
 */
export async function openChatModel(
  files: FileSet,
  options: { readonly model?: string; readonly listing?: readonly string[] } = {},
): Promise<ChatModel> {
  const { decoder, config, modelFile } = await openDecoder(files, options)
  const text = await openText(files)
  return {
    ...text,
    decoder,
    modelFile,
    fingerprint: await fingerprint(decoder, config, await readJson(files, 'tokenizer.json')),
  }
}

/** A backbone's folder whose graph is not recognised: the model as it was exported, and why. */
export interface UnknownModel extends TextModel {
  readonly exported: ExportedModel
  /** The recogniser's words. */
  readonly reason: string
}

/**
 * Reads a backbone's folder as `openChatModel` does, or, where its graph is of a kind that is not known, as it was
 * exported.
 *
 * @throws HycoraError as `openChatModel`, but for graphs that are only unknown.
 */
export async function openAnyModel(
  files: FileSet,
  options: { readonly model?: string; readonly listing?: readonly string[] } = {},
): Promise<ChatModel | UnknownModel> {
  try {
    return await openChatModel(files, options)
  } catch (error) {
    if (!(error instanceof HycoraError) || error.code !== 'format-unsupported') throw error
    const text = await openText(files)
    return { ...text, exported: await openExported(files, options), reason: error.message }
  }
}

/**
 * The text side of a backbone's folder alone, whatever its graph.
 *
 * @throws HycoraError `format-invalid` or `format-unsupported` naming the file and what is wrong with it.
 */
export async function openText(files: FileSet): Promise<TextModel> {
  const tokenizer = await openTokenizer(files)
  const tokenizerConfig = await readJson(files, 'tokenizer_config.json')
  const generationConfig = await readJson(files, 'generation_config.json')
  const separateTemplate = await readText(files, 'chat_template.jinja')
  // Where models of pictures and sound had their template for a while.
  const olderFile = await readJson(files, 'chat_template.json')
  const source = separateTemplate ?? chatTemplateSource(tokenizerConfig) ?? chatTemplateSource(olderFile)
  const template = tokenizer && source !== undefined ? loadChatTemplate(tokenizerConfig, source) : null
  const stopIds = tokenizer
    ? endOfTurnIds(tokenizer, tokenizerConfig, generationConfig, template ?? undefined)
    : []
  return { fingerprint: '', tokenizer, template, stopIds }
}

/**
 * Whether a pack is made for a backbone, by fingerprint.
 *
 * @returns a warning where one side has no fingerprint to compare, else null.
 * @throws HycoraError `model-incompatible` naming both backbones.
 */
export function comparePack(pack: Pack, model: TextModel, name: string): string | null {
  const { fingerprint: made, name: madeFor } = pack.backbone
  if (!made || !model.fingerprint) {
    return `${pack.name} and ${name} cannot be compared by fingerprint; their shapes agree`
  }
  check(
    made === model.fingerprint,
    'model-incompatible',
    () => `${pack.name} is made for ${madeFor || 'another backbone'}, this is ${name}`,
  )
  return null
}

import type { FileSet } from '../core/bytes.ts'
import { HycoraError, check } from '../core/errors.ts'
import { endOfTurnIds, loadChatTemplate } from '../formats/chatTemplate.ts'
import type { ChatTemplate } from '../formats/chatTemplate.ts'
import type { Pack } from '../formats/pack.ts'
import { loadTokenizer } from '../formats/tokenizer.ts'
import type { Tokenizer } from '../formats/tokenizer.ts'
import type { Decoder } from './decoder.ts'
import { fingerprint } from './fingerprint.ts'
import { openDecoder, readJson } from './openBackbone.ts'

/** A backbone's folder, read: its decoder and, where their files are there, how it reads and writes text. */
export interface ChatModel {
  readonly decoder: Decoder
  readonly modelFile: string
  /** Empty where config.json or tokenizer.json is missing. */
  readonly fingerprint: string
  readonly tokenizer: Tokenizer | null
  readonly template: ChatTemplate | null
  /** Tokens that end a turn. */
  readonly stopIds: readonly number[]
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
  const tokenizer = await openTokenizer(files)
  const tokenizerConfig = await readJson(files, 'tokenizer_config.json')
  const generationConfig = await readJson(files, 'generation_config.json')
  const separateTemplate = await readText(files, 'chat_template.jinja')
  const hasTemplate =
    separateTemplate !== undefined ||
    (typeof tokenizerConfig === 'object' && tokenizerConfig !== null && 'chat_template' in tokenizerConfig)
  const template = tokenizer && hasTemplate ? loadChatTemplate(tokenizerConfig, separateTemplate) : null
  return {
    decoder,
    modelFile,
    fingerprint: await fingerprint(decoder, config, await readJson(files, 'tokenizer.json')),
    tokenizer,
    template,
    stopIds: tokenizer
      ? endOfTurnIds(tokenizer, tokenizerConfig, generationConfig, template ?? undefined)
      : [],
  }
}

/**
 * Whether a pack is made for a backbone, by fingerprint.
 *
 * @returns a warning where one side has no fingerprint to compare, else null.
 * @throws HycoraError `model-incompatible` naming both backbones.
 */
export function comparePack(pack: Pack, model: ChatModel, name: string): string | null {
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

import { readdir, readFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'

import { HycoraError, asHycoraError, check } from '../core/errors.ts'
import type { CacheForm } from '../core/graphicsMemory.ts'
import { listedFor, PACK_INDEX, parsePackIndex } from '../download/packIndex.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import type { Backbone, Casting } from '../model/decoder/backbone.ts'
import { lookedAt } from '../model/decoder/logits.ts'
import { comparePack, openAnyModel, openChatModel } from '../model/chatModel.ts'
import type { ChatModel, UnknownModel } from '../model/chatModel.ts'
import { GpuBackbone } from '../model/gpu/gpuBackbone.ts'
import { castRole } from '../model/adapter/roles.ts'
import { openOnProcessor } from '../play/openOnProcessor.ts'
import type { Voice } from '../play/speak.ts'
import { required } from './arguments.ts'
import { folder, fileSource, shippedPath } from './files.ts'
import { openNodeDevice } from './gpu.ts'
import { loadOrt } from './ort.ts'

/** A backbone's folder and what it holds. */
export interface OpenedModel {
  readonly name: string
  readonly root: string
  readonly model: ChatModel
}

/** What a pack is compared with. */
interface FittedModel {
  readonly name: string
  readonly model: ChatModel | UnknownModel
}

/** A backbone on a device, with a pack attached where one was asked for. */
export interface OpenedSpeaker extends Voice {
  readonly pack: Pack | null
  /** Who plays: the role that `--role` names, or nobody. */
  readonly casting: Casting | null
  /** The role's line. */
  readonly system: string | null
}

/** The folder of a backbone: as given, else a shipped one of that name. */
export async function findFolder(name: string): Promise<string> {
  const shipped = shippedPath('public/models', name)
  for (const candidate of [resolve(name), shipped]) {
    if ((await readdir(candidate).catch(() => undefined)) !== undefined) return candidate
  }
  throw new HycoraError('usage', `${name} is no folder and no shipped backbone`)
}

async function listing(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
}

/** The folder that `--backbone` names, and which of its files is the model. */
export async function findModel(options: ReadonlyMap<string, string>) {
  const root = await findFolder(required(options, 'backbone'))
  const model = options.get('model')
  return { root, chosen: { ...(model ? { model } : {}), listing: await listing(root) } }
}

/** Opens the backbone that `--backbone` and `--model` name; nothing goes to the GPU. */
export async function openModel(options: ReadonlyMap<string, string>): Promise<OpenedModel> {
  const { root, chosen } = await findModel(options)
  return { name: basename(root), root, model: await openChatModel(folder(root), chosen) }
}

/** Reads a pack from disk, checked whole. */
export async function openPack(path: string): Promise<Pack> {
  const source = await fileSource(resolve(path)).catch((error: unknown) => {
    throw error instanceof HycoraError ? error : new HycoraError('usage', `${path} cannot be opened`)
  })
  return readPack(source)
}

/**
 * Reads a pack that is to go with a backbone; one that cannot be compared with it by fingerprint gives a line on stderr.
 *
 * @throws HycoraError as `openPack`; `model-incompatible` where it is another backbone's.
 */
export async function openPackFor(path: string, { name, model }: FittedModel): Promise<Pack> {
  const pack = await openPack(path)
  const warning = comparePack(pack, model, name)
  if (warning) process.stderr.write(`warning: ${warning}\n`)
  return pack
}

/** The shipped pack that was trained on a backbone, told by its fingerprint; null where there is none. */
export async function packTrainedOn({ fingerprint }: Pick<ChatModel, 'fingerprint'>): Promise<string | null> {
  const index = await readFile(shippedPath('public', PACK_INDEX), 'utf8').catch(() => '[]')
  const listed = listedFor(parsePackIndex(JSON.parse(index)), fingerprint)
  return listed ? shippedPath('public', listed.file.path) : null
}

/** The path of the pack that `--pack` names, else of the shipped one where one is needed, which a line on stderr says. */
async function packPathOf(
  options: ReadonlyMap<string, string>,
  { name, model }: FittedModel,
  needsPack: boolean,
): Promise<string | undefined> {
  if (options.has('pack') || !needsPack) return options.get('pack')
  const path = await packTrainedOn(model)
  check(path !== null, 'usage', () => `--pack is missing, and no pack that ships was trained on ${name}`)
  process.stderr.write(`${basename(path)} was trained on ${name}, and is taken\n`)
  return path
}

/** Our kernels where there is a graphics card, else onnxruntime, which a processor runs faster. */
export async function fasterEngine(): Promise<'webgpu' | 'ort'> {
  try {
    const { device, isSoftware } = await openNodeDevice()
    device.destroy()
    return isSoftware ? 'ort' : 'webgpu'
  } catch (error) {
    if (asHycoraError(error, 'webgpu-unavailable').code !== 'webgpu-unavailable') throw error
    return 'ort'
  }
}

/** What `--engine` names. */
export function engineOf(options: ReadonlyMap<string, string>): 'webgpu' | 'ort' {
  const engine = options.get('engine') ?? 'webgpu'
  if (engine === 'webgpu' || engine === 'ort') return engine
  throw new HycoraError('usage', `--engine is "${engine}", expected webgpu or ort`)
}

/** The backbone on our kernels, or on onnxruntime's on the CPU, which take graphs that are not recognised too. */
async function openBackbone(
  engine: 'webgpu' | 'ort',
  model: ChatModel | UnknownModel,
  cacheForm: CacheForm,
): Promise<Backbone> {
  return engine === 'webgpu' && 'decoder' in model
    ? lookedAt(GpuBackbone.create(await openNodeDevice(), model.decoder, { cacheForm }))
    : openOnProcessor(await loadOrt(), model)
}

/**
 * Opens backbone, pack and device as the options say; keys and values are kept as computed, for what is measured, or as
 * chats keep them. Where a pack is needed and none is named, the shipped one for the backbone is taken.
 *
 * @throws HycoraError for every wrong option, file or device, with one sentence.
 */
export async function openSpeaker(
  options: ReadonlyMap<string, string>,
  cacheForm: CacheForm = 'floats',
  needsPack = options.has('role'),
): Promise<OpenedSpeaker> {
  const engine = engineOf(options)
  const { root, chosen } = await findModel(options)
  const name = basename(root)
  const model = await (engine === 'ort' ? openAnyModel : openChatModel)(folder(root), chosen)
  const roleName = options.get('role')
  const packPath = await packPathOf(options, { name, model }, needsPack)
  const pack = packPath === undefined ? null : await openPackFor(packPath, { name, model })
  const casting = pack && roleName !== undefined ? castRole(pack, roleName, 1) : null
  const backbone = await openBackbone(engine, model, cacheForm)
  await backbone.attach(pack)
  return {
    name,
    model,
    backbone,
    pack,
    casting,
    system: pack && roleName !== undefined ? roleLineOf(pack, roleName) : null,
  }
}

import { readdir } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'

import { HycoraError, check } from '../core/errors.ts'
import { OrtBackbone } from '../fallback/ortBackbone.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import type { Backbone, Casting } from '../model/backbone.ts'
import { comparePack, openChatModel } from '../model/chatModel.ts'
import type { ChatModel } from '../model/chatModel.ts'
import { GpuBackbone } from '../model/gpuBackbone.ts'
import { castRole } from '../model/roles.ts'
import { required } from './arguments.ts'
import { folder, openFile } from './files.ts'
import { openNodeDevice } from './gpu.ts'
import { loadOrt } from './ort.ts'

/** A backbone's folder and what it holds. */
export interface OpenedModel {
  readonly name: string
  readonly root: string
  readonly model: ChatModel
}

/** A backbone on a device, with a pack attached where one was asked for. */
export interface CliEngine {
  readonly name: string
  readonly model: ChatModel
  readonly backbone: Backbone
  readonly pack: Pack | null
  /** Who plays: the role that `--role` names, or nobody. */
  readonly casting: Casting | null
  /** The role's line. */
  readonly system: string | null
}

/** The folder of a backbone: as given, else a shipped one of that name. */
export async function findFolder(name: string): Promise<string> {
  const shipped = resolve(import.meta.dirname, '../../../../public/models', name)
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

/** Opens the backbone that `--backbone` and `--model` name; nothing goes to the GPU. */
export async function openModel(options: ReadonlyMap<string, string>): Promise<OpenedModel> {
  const root = await findFolder(required(options, 'backbone'))
  const model = options.get('model')
  const found = await openChatModel(folder(root), {
    ...(model ? { model } : {}),
    listing: await listing(root),
  })
  return { name: basename(root), root, model: found }
}

/** Reads a pack from disk, checked whole. */
export async function openPack(path: string): Promise<Pack> {
  const source = await openFile(resolve(path)).catch((error: unknown) => {
    throw error instanceof HycoraError ? error : new HycoraError('usage', `${path} cannot be opened`)
  })
  return readPack(source)
}

/** The backbone on what `--engine` names: our kernels, or onnxruntime's on the CPU. */
async function openBackbone(engine: string, model: ChatModel): Promise<Backbone> {
  check(engine === 'webgpu' || engine === 'ort', 'usage', () => {
    return `--engine is "${engine}", expected webgpu or ort`
  })
  if (engine === 'ort') return OrtBackbone.create(await loadOrt(), model.decoder)
  const { device, isSoftware } = await openNodeDevice()
  return GpuBackbone.create(device, model.decoder, { stepsAhead: isSoftware ? 1 : 2 })
}

/**
 * Opens backbone, pack and device as the options say.
 *
 * @throws HycoraError for every wrong option, file or device, with one sentence.
 */
export async function openEngine(options: ReadonlyMap<string, string>): Promise<CliEngine> {
  const { name, model } = await openModel(options)
  const packPath = options.get('pack')
  const roleName = options.get('role')
  check(packPath !== undefined || roleName === undefined, 'usage', () => '--role needs a --pack that has it')
  const pack = packPath === undefined ? null : await openPack(packPath)
  if (pack) {
    const warning = comparePack(pack, model, name)
    if (warning) process.stderr.write(`warning: ${warning}\n`)
  }
  const casting = pack && roleName !== undefined ? castRole(pack, roleName, 1) : null
  const role = pack?.roles.find(({ name: known }) => known === roleName)
  const backbone = await openBackbone(options.get('engine') ?? 'webgpu', model)
  await backbone.attach(pack)
  return {
    name,
    model,
    backbone,
    pack,
    casting,
    system: role?.system ?? null,
  }
}

import { roleFacts, roleLineOf } from '../formats/packFacts.ts'
import { HycoraError, check } from '../core/errors.ts'
import { blobSource } from '../formats/blobSource.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import type { Backbone, Casting } from '../model/backbone.ts'
import { comparePack, openAnyModel } from '../model/chatModel.ts'
import type { ChatModel, TextModel, UnknownModel } from '../model/chatModel.ts'
import { describeFormat } from '../model/gpuWeights.ts'
import { castBlend, castRole } from '../model/roles.ts'
import { blobFiles } from './blobFiles.ts'
import { openExportedPath, openPath } from './openPath.ts'
import { openPackShelf } from './packShelf.ts'
import type { PackShelf } from './packShelf.ts'
import type { BackboneInfo, LoadParams, LoadProgress, Scene } from './protocol.ts'

/** Everything that one answer needs, on one path. */
export interface Stage {
  /** null on the processor. */
  readonly device: GPUDevice | null
  readonly backbone: Backbone
  readonly model: TextModel
  readonly pack: Pack | null
  /** The packs of whoever plays beside its roles. */
  readonly shelf: PackShelf
  readonly info: BackboneInfo
}

/**
 * Opens a backbone and a pack on one of the paths: everything is checked first, then the weights go over.
 *
 * @param options `isLost`: this stage takes the place of one whose graphics device was lost.
 * @throws HycoraError naming the file and the fault, or what the device lacks.
 */
export async function setStage(
  gpu: GPU | undefined,
  { name, files, pack: packFile, path: choice, rates }: LoadParams,
  emit: (progress: LoadProgress) => void,
  { isLost = false }: { readonly isLost?: boolean } = {},
): Promise<Stage> {
  emit({ step: 'read', doneBytes: 0, totalBytes: 0 })
  const model = await openAnyModel(blobFiles(files), { listing: [...files.keys()] })
  check(model.tokenizer, 'format-invalid', () => `${name} has no tokenizer.json`)
  check(model.template, 'format-invalid', () => `${name} has no chat template`)
  const pack = packFile && (await readPack(blobSource(packFile.name, packFile.file)))
  const warning = pack && comparePack(pack, model, name)
  const common = { pack, rates, emit }
  const { device, backbone, computing } =
    'decoder' in model
      ? await openPath({ gpu, decoder: model.decoder, choice, isLost, ...common })
      : await openExportedPath(model.exported, model.reason, common)
  const { layers, hidden, headDim, vocabulary } = backbone.shape
  const info = {
    name,
    ...describeModel(model),
    layers,
    hidden,
    headDim,
    vocabulary,
    context: backbone.context,
    gpuBytes: backbone.gpuBytes(),
    computing,
    roles: pack ? roleFacts(pack) : [],
    warnings: warning ? [warning] : [],
  }
  const shelf = openPackShelf({ backbone, model, name, pack })
  return { device, backbone, model, pack, shelf, info }
}

function describeModel(
  model: ChatModel | UnknownModel,
): Pick<BackboneInfo, 'architecture' | 'fingerprint' | 'weightFormat'> {
  const { fingerprint } = model
  if (!('decoder' in model)) return { architecture: '', fingerprint, weightFormat: 'as exported' }
  const { decoder } = model
  return { architecture: decoder.architecture, fingerprint, weightFormat: describeFormat(decoder) }
}

/** Who plays in a scene, their pack attached; null for the bare backbone. */
export async function castScene({ shelf }: Stage, scene: Scene): Promise<Casting | null> {
  const isBare = scene.role === null && !scene.blend
  if (isBare || scene.strength === 0) return null
  const pack = await shelf.attach(scene.pack)
  if (!pack) throw new HycoraError('usage', `there is no persona pack, so nobody plays ${scene.role}`)
  return scene.blend
    ? castBlend(pack, scene.blend, scene.strength)
    : castRole(pack, scene.role ?? '', scene.strength)
}

/** The system text of a scene: its own, else the role's line. */
export async function systemOf({ shelf }: Stage, scene: Scene): Promise<string | null> {
  if (scene.system !== undefined) return scene.system
  if (scene.role === null) return null
  const pack = await shelf.open(scene.pack)
  return pack && roleLineOf(pack, scene.role)
}

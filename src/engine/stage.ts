import { HycoraError, check } from '../core/errors.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import { isSoftware, requestAdapter, requestDevice } from '../gpu/device.ts'
import type { Backbone, Casting } from '../model/backbone.ts'
import { comparePack, openChatModel } from '../model/chatModel.ts'
import type { ChatModel } from '../model/chatModel.ts'
import { GpuBackbone } from '../model/gpuBackbone.ts'
import { describeFormat, weightBytes } from '../model/gpuWeights.ts'
import { castBlend, castRole } from '../model/roles.ts'
import { blobFiles, blobSource } from './blobFiles.ts'
import { openPackShelf } from './packShelf.ts'
import type { PackShelf } from './packShelf.ts'
import type { BackboneInfo, LoadParams, LoadProgress, RoleInfo, Scene } from './protocol.ts'

/** Everything that one answer needs, on one device. */
export interface Stage {
  readonly device: GPUDevice
  readonly backbone: Backbone
  readonly model: ChatModel
  readonly pack: Pack | null
  /** The packs of whoever plays beside its roles. */
  readonly shelf: PackShelf
  readonly info: BackboneInfo
}

function rolesOf(pack: Pack | null): RoleInfo[] {
  if (!pack) return []
  const width = pack.config.roleEmbedding ?? 0
  const vectors = width > 0 ? pack.tensor('roles_emb.weight') : new Float32Array(0)
  return pack.roles.map(({ name, system, card }, index) => ({
    name,
    system: system ?? null,
    card: card ?? null,
    vector: vectors.slice(index * width, (index + 1) * width),
  }))
}

async function openDevice(gpu: GPU | undefined): Promise<{ device: GPUDevice; isSlow: boolean }> {
  if (!gpu) throw new HycoraError('webgpu-unavailable', 'this browser has no WebGPU')
  const adapter = await requestAdapter(gpu)
  if (!adapter) throw new HycoraError('webgpu-unavailable', 'the browser offers no graphics adapter')
  return { device: await requestDevice(adapter), isSlow: isSoftware(adapter.info) }
}

/**
 * Opens a backbone and a pack on a fresh device: everything is checked first, then the weights go over.
 *
 * @throws HycoraError naming the file and the fault, or what the device lacks.
 */
export async function setStage(
  gpu: GPU | undefined,
  { name, files, pack: packFile }: LoadParams,
  emit: (progress: LoadProgress) => void,
): Promise<Stage> {
  emit({ step: 'read', doneBytes: 0, totalBytes: 0 })
  const model = await openChatModel(blobFiles(files), { listing: [...files.keys()] })
  check(model.tokenizer, 'format-invalid', () => `${name} has no tokenizer.json`)
  check(model.template, 'format-invalid', () => `${name} has no chat template`)
  const pack = packFile && (await readPack(blobSource(packFile.name, packFile.file)))
  const warning = pack && comparePack(pack, model, name)
  const { device, isSlow } = await openDevice(gpu)
  try {
    const totalBytes = weightBytes(model.decoder)
    let doneBytes = 0
    const backbone = await GpuBackbone.create(device, model.decoder, {
      stepsAhead: isSlow ? 1 : 2,
      onBytes(bytes) {
        doneBytes += bytes
        emit({ step: 'upload', doneBytes, totalBytes })
      },
    })
    emit({ step: 'compile', doneBytes: totalBytes, totalBytes })
    await backbone.attach(pack)
    emit({ step: 'warm-up', doneBytes: totalBytes, totalBytes })
    await backbone.logits([0], null)
    const { decoder, fingerprint } = model
    const info = {
      name,
      architecture: decoder.architecture,
      fingerprint,
      layers: decoder.layers,
      hidden: decoder.hidden,
      vocabulary: decoder.vocabulary,
      context: backbone.context,
      gpuBytes: backbone.gpuBytes(),
      weightFormat: describeFormat(decoder),
      roles: rolesOf(pack),
      warnings: warning ? [warning] : [],
    }
    const shelf = openPackShelf({ backbone, model, name, pack })
    return { device, backbone, model, pack, shelf, info }
  } catch (error) {
    device.destroy()
    throw error
  }
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
  return pack?.roles.find(({ name }) => name === scene.role)?.system ?? null
}

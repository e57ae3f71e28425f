import type { ByteSource } from '../core/bytes.ts'
import { check } from '../core/errors.ts'
import type { PackBackbone, PackContent } from './pack.ts'
import { PACK_PROJECTIONS, type PackConfig, type PackProjection } from './packConfig.ts'
import { readSafetensorsHeader, type SafetensorsTensor } from './safetensors.ts'
import { widened } from './tensorValues.ts'

/** What a checkpoint of the authors' trainer does not say. */
export interface CheckpointFacts {
  readonly rank: number
  readonly alpha: number
  /** In the order of the role ids. */
  readonly roles: readonly string[]
  /** Null where no backbone is at hand: the pack then fits by its sizes alone, with a warning. */
  readonly backbone: PackBackbone | null
}

/**
 * Reads an adapter checkpoint of the authors' trainer (safetensors) as a pack: dtype and bits kept, but BF16 as F32, which
 * holds it exactly. Each shared tensor is found under the first of its names there, that in a linear of block 0.
 *
 * @throws HycoraError `format-invalid` when tensors are missing or do not fit each other, rank or number of roles;
 *   `format-unsupported` when it holds what no pack does.
 */
export async function readAuthorsCheckpoint(
  source: ByteSource,
  facts: CheckpointFacts,
): Promise<PackContent> {
  const { name } = source
  const header = await readSafetensorsHeader(source)
  const tensors = new Map<string, SafetensorsTensor>()
  for (const [key, { dtype, shape, offset, sizeBytes }] of header.tensors) {
    const known = packName(key)
    check(known !== null && ['F32', 'F16', 'BF16'].includes(dtype), 'format-unsupported', () => {
      return `${name} holds ${key} in ${dtype}, which no checkpoint of the authors' trainer does`
    })
    check(!tensors.has(known), 'format-invalid', () => `${name} holds ${known} under two names`)
    const tensor = { dtype, shape, bytes: await source.read(offset, sizeBytes) }
    tensors.set(known, dtype === 'BF16' ? widened(tensor) : tensor)
  }
  const config = configOf(tensors, facts, name)
  const rows = tensors.get('roles_emb.weight')?.shape[0]
  check(rows === facts.roles.length, 'usage', () => {
    return `${name} holds ${rows} roles, but ${facts.roles.length} names are given for them`
  })
  return {
    config,
    roles: facts.roles.map((role) => ({ name: role, card: null, system: null, blend: null })),
    backbone: facts.backbone ?? { name: '', architecture: '', fingerprint: '' },
    provenance: { source: "checkpoint of the authors' trainer" },
    tensors,
  }
}

/** A tensor's name in a pack; null where a pack has none. */
function packName(key: string): string | null {
  const name = key.replace(/^(?:base_model\.model\.)?(?:model\.)?/, '')
  const [, layer, projection, rest = ''] =
    /^layers\.(\d+)\.(?:self_attn|mlp)\.(q|k|v|o|up|down|gate)_proj\.(.+)$/.exec(name) ?? []
  if (rest === 'lora_B') return `layers.${Number(layer)}.${projection}.lora_B`
  const generator = /^down_linear\.(?:down|up)\.(?:weight|bias)$/.test(rest)
  if (generator) return `${projection}_${rest}`
  const shared = layer === undefined ? name : rest
  const isShared =
    /^(?:(?:roles|layers)_emb\.weight|(?:hypernet_encoder|hidden_to_role_emb_layer|role_emb_to_role_emb_layer|[a-z]+_down_linear)\..+|layers\.\d+\.[a-z]+\.lora_B)$/
  return isShared.test(shared) ? shared : null
}

/** The configuration that shapes and given rank imply: A generated, B shared. */
function configOf(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  { rank, alpha }: CheckpointFacts,
  name: string,
): PackConfig {
  const shapeOf = (key: string): readonly number[] => {
    const tensor = tensors.get(key)
    check(tensor, 'format-invalid', () => `${name} has no tensor ${key}`)
    return tensor.shape
  }
  const size = (key: string, axis: number): number => shapeOf(key)[axis] ?? 0
  const projections = PACK_PROJECTIONS.filter((key) => tensors.has(`${key}_down_linear.up.weight`))
  const first = projections[0]
  check(first, 'format-invalid', () => `${name} has no generator of A, such as q_down_linear.up.weight`)
  const dims = new Map<PackProjection, readonly [number, number]>()
  for (const key of projections) {
    const rows = size(`${key}_down_linear.up.weight`, 0)
    check(rows % rank === 0 && size(`layers.0.${key}.lora_B`, 0) === rank, 'format-invalid', () => {
      return `${name}: the matrices of ${key} are not of rank ${rank}`
    })
    dims.set(key, [rows / rank, size(`layers.0.${key}.lora_B`, 1)])
  }
  const blocks = Array.from(tensors.keys(), (key) => /^hypernet_encoder\.layers\.(\d+)\./.exec(key)?.[1])
  return {
    rank,
    alpha,
    layers: [...tensors.keys()].filter((key) => key.endsWith(`.${first}.lora_B`)).length,
    projections,
    dims,
    sources: { A: 'hyper', B: 'shared' },
    roleEmbedding: size('roles_emb.weight', 1),
    hypernetwork: {
      layerEmbedding: size('layers_emb.weight', 1),
      hidden: size('hypernet_encoder.fc_input.weight', 0),
      residualBlocks: 1 + Math.max(-1, ...blocks.map((block) => Number(block ?? -1))),
      generatorRank: size(`${first}_down_linear.down.weight`, 0),
      layernormInput: tensors.has('hypernet_encoder.norm_input.weight'),
      layernormOutput: tensors.has('hypernet_encoder.norm_output.weight'),
    },
  }
}

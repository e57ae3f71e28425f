import { check } from '../core/errors.ts'
import { MLX_WEIGHTS_PATH } from './adapterConfig.ts'
import { memorySource } from './memorySource.ts'
import { MLX_ARRAYS, otherBeginning, PICKLE } from './otherWeights.ts'
import { PACK_PROJECTIONS, type PackProjection } from './packConfig.ts'
import { readSafetensorsHeader, type SafetensorsTensor } from './safetensors.ts'
import { isAllFinite, plainFloats, transposed } from './tensorValues.ts'

export const WEIGHTS_PATH = 'adapter_model.safetensors'
const SHARD = /^adapter_model-(\d{1,6})-of-(\d{1,6})\.safetensors$/
const MAX_LAYERS = 1024

/** Which part of a block holds a projection, in the models that name them as Llama does. */
export function moduleOf(projection: PackProjection): string {
  return `${'qkvo'.includes(projection) ? 'self_attn' : 'mlp'}.${projection}_proj`
}

/** A pair of matrices as a pack keeps them, of a rank of its own: A [in, rank], B [rank, out]. */
export interface AdapterPair {
  readonly layer: number
  readonly projection: PackProjection
  /** As in the model, `model.layers.0.self_attn.q_proj`. */
  readonly module: string
  readonly a: SafetensorsTensor
  readonly b: SafetensorsTensor
}

/** What the files of an adapter hold besides its configuration. */
export interface FileMatrices {
  readonly pairs: readonly AdapterPair[]
  /** The texts in the header of the first file. */
  readonly metadata: ReadonlyMap<string, string>
}

/** The files that hold the matrices, in order. @throws HycoraError `format-invalid`, `format-unsupported` where none can be read. */
function weightFiles(files: ReadonlyMap<string, Uint8Array>): readonly (readonly [string, Uint8Array])[] {
  for (const path of [WEIGHTS_PATH, MLX_WEIGHTS_PATH]) {
    const bytes = files.get(path)
    if (bytes) return [[path, bytes]]
  }
  const shards = [...files]
    .filter(([path]) => SHARD.test(path))
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
  const count = Number(SHARD.exec(shards[0]?.[0] ?? '')?.[2] ?? 0)
  check(shards.length === count, 'format-invalid', () => {
    return `the adapter has ${shards.length} of ${count} parts of its weights: ${shards.map(([path]) => path).join(', ')}`
  })
  check(shards.length > 0, files.has('adapter_model.bin') ? 'format-unsupported' : 'format-invalid', () => {
    if (files.has('adapter_model.bin')) return `adapter_model.bin holds ${PICKLE}`
    if (files.has('adapters.npz')) {
      return `adapters.npz holds ${MLX_ARRAYS}`
    }
    return `the PEFT folder has no ${WEIGHTS_PATH}; weights in another form are not read: take the whole folder of the adapter`
  })
  return shards
}

/**
 * Reads the matrices of a LoRA of a decoder's linears: dtype and bits kept of F32 and F16, other floats as F32.
 *
 * @throws HycoraError `format-invalid` when a file is missing or broken or shapes do not fit each other,
 *   `format-unsupported` when there is something other than such matrices, naming it.
 */
export async function readAdapterMatrices(files: ReadonlyMap<string, Uint8Array>): Promise<FileMatrices> {
  const halves = new Map<string, Half>()
  const metadata: ReadonlyMap<string, string>[] = []
  for (const [path, bytes] of weightFiles(files)) {
    const other = otherBeginning(bytes)
    check(other === null, 'format-unsupported', () => `${path} is ${other}`)
    const header = await readSafetensorsHeader(memorySource(path, bytes), { isForeign: true })
    metadata.push(header.metadata)
    for (const [name, { dtype, shape, offset, sizeBytes }] of header.tensors) {
      const { key, isTurned, ...place } = halfOf(name, path)
      const plain = plainFloats({ dtype, shape, bytes: bytes.subarray(offset, offset + sizeBytes) })
      check(plain && shape.length === 2 && sizeBytes > 0, 'format-unsupported', () => {
        return `${path}: ${name} is ${dtype} [${shape.join(', ')}], expected a matrix of F32, F16, BF16, F64 or F8`
      })
      check(!halves.has(key), 'format-invalid', () => `${path}: ${name} stands there twice`)
      check(isAllFinite(plain), 'format-invalid', () => {
        return `${path}: ${name} holds a value that is not finite, as where training went astray: take an earlier checkpoint`
      })
      halves.set(key, { ...place, key, path, tensor: isTurned ? transposed(plain) : plain })
    }
  }
  return { pairs: pairsOf(halves), metadata: metadata[0] ?? new Map() }
}

/** One matrix, and where it belongs. */
interface Half extends Omit<AdapterPair, 'a' | 'b'> {
  readonly key: string
  readonly side: 'A' | 'B'
  /** What a file with several adapters calls this one; empty where it does not. */
  readonly adapter: string
  readonly path: string
  readonly tensor: SafetensorsTensor
}

/** What compilers and trainers on many devices put around modules. */
const WRAPPERS = /(?<=^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|module)\./g
const MODULE =
  /^(?:base_model\.model\.)*((?:(?:model|language_model|text_model)\.)*layers\.(\d+)\.((?:self_attn|mlp)\.([a-z]+)_proj))\./
/** PEFT's matrices stand as torch keeps them, [out, in]; mlx-lm's as they are multiplied. */
const PEFT_SIDE = /^lora_([AB])(?:\.(?!(?:weight|bias)$)([\w-]{1,64}))?(?:\.weight)?$/
const MLX_SIDE = /^lora_([ab])$/

/** What a tensor is that is no matrix of a LoRA of a block's linear. */
const OTHERS: readonly (readonly [RegExp, string])[] = [
  [/lora_magnitude_vector|\.m$|dora_scale/, 'the magnitudes of DoRA, which a role cannot hold'],
  [/lora_embedding_/, 'a LoRA of an embedding, which a role cannot hold'],
  [/lora_[ABab]\S*\.bias$/, 'a bias of a LoRA, which a role cannot hold'],
  [/lora_[ab]_(?:scales|biases)$/, 'part of a quantised LoRA, which is not read'],
  [/experts|switch_mlp|block_sparse_moe/, 'of a mixture of experts, which is not read'],
  [/(?:qkv|gate_up|query_key_value|Wqkv|c_attn)[\w.]*lora_/, 'a LoRA of a fused linear, which is not read'],
  [/^(?!.*lora_).*\.(?:weight|bias)$/, 'whole weights beside a LoRA, which a role cannot hold'],
]

function halfOf(name: string, path: string): Omit<Half, 'path' | 'tensor'> & { readonly isTurned: boolean } {
  const plain = name.replaceAll(WRAPPERS, '')
  const found = MODULE.exec(plain)
  const [whole = '', module = '', layer = '', part = '', short = ''] = found ?? []
  const [peft, mlx] = [PEFT_SIDE, MLX_SIDE].map((side) => side.exec(plain.slice(whole.length)))
  const [, side = '', adapter = ''] = peft ?? mlx ?? []
  const projection = PACK_PROJECTIONS.find((known) => known === short)
  check(
    found && projection && side !== '' && part === moduleOf(projection) && Number(layer) < MAX_LAYERS,
    'format-unsupported',
    () => {
      const [, what] = OTHERS.find(([expression]) => expression.test(name)) ?? []
      return `${path} has ${name}, ${what ?? 'which is no LoRA matrix of a q, k, v, o, up, down or gate projection'}`
    },
  )
  const upper = side === 'A' || side === 'a' ? 'A' : 'B'
  const key = `layers.${Number(layer)}.${projection}.lora_${upper}`
  return { key, layer: Number(layer), projection, module, side: upper, adapter, isTurned: !mlx }
}

function pairsOf(halves: ReadonlyMap<string, Half>): readonly AdapterPair[] {
  const adapters = new Set(Array.from(halves.values(), ({ adapter }) => adapter))
  check(adapters.size <= 1, 'format-unsupported', () => {
    const names = Array.from(adapters, (name) => name || 'one without a name').join(', ')
    return `the file holds several adapters: ${names}; save each by itself`
  })
  return [...halves.values()].flatMap(({ key, path, side, tensor, layer, projection, module }) => {
    const twin = halves.get(key.replace(/[AB]$/, side === 'A' ? 'B' : 'A'))
    check(twin, 'format-invalid', () => `${path} has ${key}, but not its other half`)
    if (side === 'B') return []
    const [rank, other] = [tensor.shape[1], twin.tensor.shape[0]]
    check(rank === other, 'format-invalid', () => {
      return `${path}: A of ${module} has the rank ${rank}, its B the rank ${other}`
    })
    return [{ layer, projection, module, a: tensor, b: twin.tensor }]
  })
}

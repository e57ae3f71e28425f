import { floatToHalf } from '../../src/core/half.ts'
import { writeSafetensors, type SafetensorsTensor } from '../../src/formats/safetensors.ts'

/** Matrices of one linear as PEFT keeps them: A [rank, in], B [out, rank], row after row. */
export interface Linear {
  readonly module: string
  readonly rank: number
  readonly a: Float32Array
  readonly b: Float32Array
}

/** Input and output width of q and v in the little model that the folders of the tests are for. */
export const SIZES = { q_proj: [4, 6], v_proj: [4, 2] } as const

/** A linear with values that all differ, whole quarters so that halves hold them. */
export function linear(layer: number, name: keyof typeof SIZES, rank = 2): Linear {
  const [inSize, outSize] = SIZES[name]
  const from = layer * 7 + (name === 'q_proj' ? 1 : 3)
  const values = (count: number, step: number): Float32Array =>
    Float32Array.from({ length: count }, (_, index) => (((index * step + from) % 17) - 8) / 4)
  return {
    module: `model.layers.${layer}.self_attn.${name}`,
    rank,
    a: values(rank * inSize, 5),
    b: values(outSize * rank, 3),
  }
}

/** Two layers with q and v each, of rank 2 unless told. */
export function linears(rankOf: (module: string) => number = () => 2): readonly Linear[] {
  const names = ['q_proj', 'v_proj'] as const
  return [0, 1].flatMap((layer) =>
    names.map((name) => linear(layer, name, rankOf(`model.layers.${layer}.self_attn.${name}`))),
  )
}

export function f32(shape: readonly number[], values: Float32Array): SafetensorsTensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(values.slice().buffer) }
}

export function f16(shape: readonly number[], values: Float32Array): SafetensorsTensor {
  return { dtype: 'F16', shape, bytes: new Uint8Array(Uint16Array.from(values, floatToHalf).buffer) }
}

export type Tensors = ReadonlyMap<string, SafetensorsTensor>

/** How PEFT names and keeps matrices. */
export function peftTensors(
  all: readonly Linear[],
  name = (module: string, side: 'A' | 'B'): string => `base_model.model.${module}.lora_${side}.weight`,
  write = f32,
): Tensors {
  return new Map(
    all.flatMap(({ module, rank, a, b }) => [
      [name(module, 'A'), write([rank, a.length / rank], a)] as const,
      [name(module, 'B'), write([b.length / rank, rank], b)] as const,
    ]),
  )
}

/** Rows as columns. */
function turned(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows
  return values.map((_, index) => values[(index % rows) * columns + Math.floor(index / rows)] ?? NaN)
}

/** How mlx-lm names and keeps matrices: A [in, rank], B [rank, out]. */
export function mlxTensors(all: readonly Linear[]): Tensors {
  return new Map(
    all.flatMap(({ module, rank, a, b }) => [
      [`${module}.lora_a`, f32([a.length / rank, rank], turned(a, rank))] as const,
      [`${module}.lora_b`, f32([rank, b.length / rank], turned(b, b.length / rank))] as const,
    ]),
  )
}

/** adapter_config.json of PEFT, with some keys anew. */
export function peftConfig(change: Readonly<Record<string, unknown>> = {}): Uint8Array<ArrayBuffer> {
  return utf8({
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    r: 2,
    lora_alpha: 16,
    target_modules: ['q_proj', 'v_proj'],
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    base_model_name_or_path: 'owner/model',
    modules_to_save: null,
    use_rslora: false,
    use_dora: false,
    rank_pattern: {},
    alpha_pattern: {},
    ...change,
  })
}

export function utf8(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
}

export function weights(tensors: Tensors): Uint8Array<ArrayBuffer> {
  return writeSafetensors(tensors, new Map([['format', 'pt']]))
}

/** A PEFT folder, file by path. */
export function peftFolder(
  change: Readonly<Record<string, unknown>> = {},
  tensors: Tensors = peftTensors(linears()),
): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map([
    ['adapter_config.json', peftConfig(change)],
    ['adapter_model.safetensors', weights(tensors)],
  ])
}

/** mlx-lm's folder, file by path. */
export function mlxFolder(
  change: Readonly<Record<string, unknown>> = {},
  tensors: Tensors = mlxTensors(linears()),
): Map<string, Uint8Array<ArrayBuffer>> {
  const parameters = { rank: 2, scale: 8, dropout: 0, keys: ['self_attn.q_proj', 'self_attn.v_proj'] }
  const config = {
    fine_tune_type: 'lora',
    num_layers: 2,
    model: 'owner/model',
    lora_parameters: parameters,
    ...change,
  }
  return new Map([
    ['adapter_config.json', utf8(config)],
    ['adapters.safetensors', weights(tensors)],
  ])
}

/** A safetensors file anew, its header as long as its text is, as MLX writes it. */
export function unpadded(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true))
  const text = new TextEncoder().encode(new TextDecoder().decode(file.subarray(8, 8 + length)).trimEnd())
  // A header that happens to fill its eight bytes gets one space more.
  const header = text.length % 8 === 0 ? new Uint8Array([...text, 0x20]) : text
  const bytes = new Uint8Array(8 + header.length + file.length - 8 - length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
  bytes.set(header, 8)
  bytes.set(file.subarray(8 + length), 8 + header.length)
  return bytes
}

import { floatToHalf } from '../core/half.ts'
import { HycoraError } from '../core/errors.ts'
import type { OnnxValue } from '../formats/onnx.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'
import type { OrtRuntime, OrtTensor } from './ortRuntime.ts'
import type { Signature, TokenInput } from './signature.ts'

/** Tokens of one run. */
export interface TokenRun {
  readonly ids: readonly number[]
  /** How many tokens were read before them. */
  readonly first: number
  /** Whether the last token's logits are all that is wanted. */
  readonly isLastOnly: boolean
}

/** Hides a token from another in a mask that is added. */
const HIDDEN = -1e4

/** The tensors that tell a graph which tokens come, by the names of its inputs. */
export function tokenFeeds(
  ort: OrtRuntime,
  { tokens }: Signature,
  run: TokenRun,
): Readonly<Record<string, OrtTensor>> {
  return Object.fromEntries(
    tokens.map((input) => {
      const { values, dims } = valuesFor(input, run)
      return [input.name, tensorOf(ort, input, values, dims)]
    }),
  )
}

interface Numbers {
  readonly values: readonly number[]
  readonly dims: readonly number[]
}

function valuesFor(
  input: OnnxValue & { readonly role: TokenInput },
  { ids, first, isLastOnly }: TokenRun,
): Numbers {
  const rank = input.dims?.length ?? 2
  const all = first + ids.length
  const scalar = (value: number): Numbers => ({
    values: [value],
    dims: Array.from({ length: rank }, () => 1),
  })
  switch (input.role) {
    case 'ids':
      return { values: ids, dims: rank === 1 ? [ids.length] : [1, ids.length] }
    case 'mask':
      return rank === 4
        ? causalMask(input, ids.length, first)
        : vector(
            rank,
            Array.from({ length: all }, () => 1),
          )
    case 'positions': {
      const positions = ids.map((_, index) => first + index)
      // Models that see pictures count in three directions; text runs on in all of them.
      return rank === 3
        ? { values: [...positions, ...positions, ...positions], dims: [3, 1, ids.length] }
        : rank === 0
          ? scalar(first)
          : vector(rank, positions)
    }
    case 'segment':
      return vector(
        rank,
        ids.map(() => 0),
      )
    case 'past-length':
      return scalar(first)
    case 'length':
      return scalar(ids.length)
    case 'total-length':
      return scalar(all)
    case 'last-position':
      return scalar(all - 1)
    case 'rows-wanted':
      return scalar(isLastOnly ? 1 : 0)
    case 'use-cache':
      return scalar(first > 0 ? 1 : 0)
  }
}

function vector(rank: number, values: readonly number[]): Numbers {
  return { values, dims: rank === 1 ? [values.length] : [1, values.length] }
}

/** Which tokens each token of the run sees: itself and all before it; by true, or by 0 where the mask is added. */
function causalMask({ dataType }: OnnxValue, tokens: number, first: number): Numbers {
  const isAdded = dataType === DATA_TYPES.f32 || dataType === DATA_TYPES.f16
  const [seen, hidden] = isAdded ? [0, HIDDEN] : [1, 0]
  const values = Array.from({ length: tokens }, (_, row) =>
    Array.from({ length: first + tokens }, (__, column) => (column <= first + row ? seen : hidden)),
  ).flat()
  return { values, dims: [1, 1, tokens, first + tokens] }
}

function tensorOf(
  { Tensor }: OrtRuntime,
  { name, dataType }: OnnxValue,
  values: readonly number[],
  dims: readonly number[],
): OrtTensor {
  switch (dataType) {
    case DATA_TYPES.i64:
      return new Tensor('int64', BigInt64Array.from(values, BigInt), dims)
    case DATA_TYPES.i32:
      return new Tensor('int32', Int32Array.from(values), dims)
    case DATA_TYPES.bool:
      return new Tensor('bool', Uint8Array.from(values), dims)
    case DATA_TYPES.f32:
      return new Tensor('float32', Float32Array.from(values), dims)
    case DATA_TYPES.f16:
      return new Tensor('float16', Uint16Array.from(values, floatToHalf), dims)
    default:
      throw new HycoraError(
        'format-unsupported',
        `the graph takes ${name} as ONNX data type ${dataType}, expected integers, floats or truth values`,
      )
  }
}

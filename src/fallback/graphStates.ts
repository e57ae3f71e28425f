import { HycoraError } from '../core/errors.ts'
import { DATA_TYPES } from '../formats/onnxTensor.ts'
import type { OrtRuntime, OrtTensor } from './ortRuntime.ts'
import type { StateInput } from './signature.ts'

type TensorType = 'float32' | 'float16' | 'int8' | 'uint8'

/** The types that states come in, with the array that onnxruntime takes for each. */
const TYPES: ReadonlyMap<number, readonly [type: TensorType, bytes: number]> = new Map([
  [DATA_TYPES.f32, ['float32', 4]],
  [DATA_TYPES.f16, ['float16', 2]],
  [DATA_TYPES.i8, ['int8', 1]],
  [DATA_TYPES.u8, ['uint8', 1]],
])

/** Bytes that one position of all states takes. */
export function statePositionBytes(states: readonly StateInput[]): number {
  return states.reduce((sum, { dims, axis, dataType }) => {
    if (axis === null) return sum
    const values = dims.reduce((product, size, at) => (at === axis ? product : product * size), 1)
    return sum + values * (TYPES.get(dataType)?.[1] ?? 4)
  }, 0)
}

/**
 * The states of a graph: those that a run gave, cut to their first positions, or empty ones.
 *
 * @throws HycoraError `format-unsupported` where a state is of a type that is not known.
 */
export class GraphStates {
  private readonly ort: OrtRuntime
  private readonly inputs: readonly StateInput[]
  private tensors: Readonly<Record<string, OrtTensor>>
  private length = 0

  constructor(ort: OrtRuntime, inputs: readonly StateInput[]) {
    this.ort = ort
    this.inputs = inputs
    this.tensors = this.empty()
  }

  /** By the names of the inputs that take them. */
  get feeds(): Readonly<Record<string, OrtTensor>> {
    return this.tensors
  }

  /** Whether they can go back to fewer positions. */
  get canRewind(): boolean {
    return this.inputs.every(({ axis }) => axis !== null)
  }

  /** Cuts them to so many positions. @throws RangeError where they cannot go back there. */
  cut(positions: number): void {
    if (positions === this.length) return
    if (positions > this.length || (positions > 0 && !this.canRewind)) {
      throw new RangeError(`the states of ${this.length} positions cannot be cut to ${positions}`)
    }
    this.tensors = positions === 0 ? this.empty() : this.firstOf(positions)
    this.length = positions
  }

  /** Takes the first positions of other states of the same graph. @throws RangeError where those cannot go back there. */
  copy(other: GraphStates, positions: number): void {
    this.tensors = other.tensors
    this.length = other.length
    this.cut(positions)
  }

  /** Takes what a run gave, of so many positions in all. */
  take(outputs: Readonly<Record<string, OrtTensor>>, positions: number): void {
    this.tensors = Object.fromEntries(
      this.inputs.map(({ name, output }) => {
        const tensor = outputs[output]
        if (!tensor) throw new RangeError(`the graph gave no ${output}`)
        return [name, tensor]
      }),
    )
    this.length = positions
  }

  private empty(): Readonly<Record<string, OrtTensor>> {
    return Object.fromEntries(
      this.inputs.map((input) => {
        const values = input.dims.reduce((product, size) => product * size, 1)
        return [input.name, this.tensorOf(input, new Uint8Array(values * sizeOf(input)), input.dims)]
      }),
    )
  }

  private firstOf(positions: number): Readonly<Record<string, OrtTensor>> {
    return Object.fromEntries(
      this.inputs.map((input) => {
        const tensor = this.tensors[input.name]
        if (!tensor || input.axis === null) throw new RangeError(`the state ${input.name} cannot be cut`)
        const dims = tensor.dims.with(input.axis, positions)
        const inner = dims.slice(input.axis + 1).reduce((product, size) => product * size, sizeOf(input))
        const outer = dims.slice(0, input.axis).reduce((product, size) => product * size, 1)
        const cut = firstRows(bytesOf(tensor), outer, positions * inner)
        return [input.name, this.tensorOf(input, cut, dims)]
      }),
    )
  }

  private tensorOf(
    { name, dataType }: StateInput,
    bytes: Uint8Array<ArrayBuffer>,
    dims: readonly number[],
  ): OrtTensor {
    const { Tensor } = this.ort
    const type = TYPES.get(dataType)?.[0]
    switch (type) {
      case 'float32':
        return new Tensor('float32', new Float32Array(bytes.buffer), dims)
      case 'float16':
        return new Tensor('float16', new Uint16Array(bytes.buffer), dims)
      case 'int8':
        return new Tensor('int8', new Int8Array(bytes.buffer), dims)
      case 'uint8':
        return new Tensor('uint8', bytes, dims)
      case undefined:
        throw new HycoraError(
          'format-unsupported',
          `the graph carries ${name} as ONNX data type ${dataType}, expected floats of 16 or 32 bits, or bytes`,
        )
    }
  }
}

function sizeOf({ dataType }: StateInput): number {
  return TYPES.get(dataType)?.[1] ?? 4
}

/** The first bytes of each of some rows of equal length. */
function firstRows(source: Uint8Array, rows: number, bytes: number): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(rows * bytes)
  const stride = source.length / rows
  for (let row = 0; row < rows; row++) {
    target.set(source.subarray(row * stride, row * stride + bytes), row * bytes)
  }
  return target
}

/** The bytes of a tensor on the processor. */
function bytesOf({ data }: OrtTensor): Uint8Array {
  if (!ArrayBuffer.isView(data)) throw new RangeError('the graph gave a state of text')
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

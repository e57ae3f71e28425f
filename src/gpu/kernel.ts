import { HycoraError, check } from '../core/errors.ts'
import { MOST_WORKGROUPS } from './grid.ts'
import { bindingBytes } from './tensor.ts'
import type { Tensor } from './tensor.ts'

const UNIFORM = 0x40 | 0x8 // GPUBufferUsage UNIFORM | COPY_DST, spelled out: Node has no such global

export type ScalarType = 'u32' | 'i32' | 'f32'
/** The fields of `struct Uniforms`, in the shader's order; scalars only, so packing is declaration order. */
export type UniformTypes = Readonly<Record<string, ScalarType>>

/** What TypeScript knows of a shader: the same names in the same order as the file, which a test compares. */
export interface Kernel<U extends UniformTypes = UniformTypes, B extends string = string> {
  /** Stem of the file and name of the entry point. */
  readonly name: string
  readonly code: string
  readonly uniforms: U
  /** Storage bindings from 1 on; binding 0 is the uniforms. */
  readonly bindings: readonly B[]
}

/** Declares a kernel; gives `bindKernel` exact types for its tensors and uniforms. */
export function defineKernel<const U extends UniformTypes, const B extends string>(
  kernel: Kernel<U, B>,
): Kernel<U, B> {
  return kernel
}

export type Workgroups = readonly [x: number, y: number, z: number]

/** A kernel bound to its tensors, ready to be encoded any number of times without allocating. */
export interface Dispatch {
  readonly label: string
  readonly pipeline: GPUComputePipeline
  readonly bindGroup: GPUBindGroup
  /** Grid size for a number of rows (tokens). */
  readonly workgroups: (rows: number) => Workgroups
}

export type Overrides = Readonly<Record<string, number>>

const pipelines = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>()

/** The compiled pipeline of a kernel with its overrides; compiled once per device, in parallel with others. */
function pipelineFor(device: GPUDevice, kernel: Kernel, overrides: Overrides): Promise<GPUComputePipeline> {
  let cache = pipelines.get(device)
  if (!cache) pipelines.set(device, (cache = new Map()))
  const key = `${kernel.name} ${JSON.stringify(overrides)}`
  const known = cache.get(key)
  if (known) return known
  const compiled = device
    .createComputePipelineAsync({
      label: key,
      layout: 'auto',
      compute: {
        module: device.createShaderModule({ code: kernel.code, label: kernel.name }),
        entryPoint: kernel.name,
        constants: overrides,
      },
    })
    .catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      throw new HycoraError('shader-invalid', `${key} does not compile: ${reason}`)
    })
  cache.set(key, compiled)
  return compiled
}

/** Packs uniform values in declaration order; the size is rounded up to 16 bytes as the API asks. */
function packUniforms<U extends UniformTypes>(
  types: U,
  values: { readonly [K in keyof U]: number },
): ArrayBuffer {
  const names = Object.keys(types)
  const bytes = new ArrayBuffer(Math.max(16, Math.ceil(names.length / 4) * 16))
  const view = new DataView(bytes)
  names.forEach((name, index) => {
    const value = values[name]
    check(value !== undefined, 'shape-mismatch', () => `uniform ${name} has no value`)
    const offset = index * 4
    if (types[name] === 'f32') view.setFloat32(offset, value, true)
    else if (types[name] === 'i32') view.setInt32(offset, value, true)
    else view.setUint32(offset, value, true)
  })
  return bytes
}

const uniformBuffers = new WeakMap<GPUDevice, Map<string, GPUBuffer>>()

/**
 * The buffer of these uniforms. They never change once they are bound, so all kernels of a device with equal ones share
 * it, and binding the same kernels anew takes no more room.
 */
function uniformBuffer(device: GPUDevice, packed: ArrayBuffer): GPUBuffer {
  let cache = uniformBuffers.get(device)
  if (!cache) uniformBuffers.set(device, (cache = new Map()))
  const key = new Uint32Array(packed).join(' ')
  const known = cache.get(key)
  if (known) return known
  const buffer = device.createBuffer({ size: packed.byteLength, usage: UNIFORM, label: 'uniforms' })
  device.queue.writeBuffer(buffer, 0, packed)
  cache.set(key, buffer)
  return buffer
}

/** A whole buffer, or the part of it that a tensor is. */
function bindingOf(tensor: Tensor): GPUBufferBinding {
  const { buffer, offsetBytes } = tensor
  return offsetBytes === undefined ? { buffer } : { buffer, offset: offsetBytes, size: bindingBytes(tensor) }
}

/**
 * Binds a kernel to tensors and uniform values.
 *
 * @throws HycoraError `shader-invalid` when the kernel does not compile on this device.
 */
export async function bindKernel<U extends UniformTypes, B extends string>(
  device: GPUDevice,
  kernel: Kernel<U, B>,
  tensors: { readonly [K in B]: Tensor },
  uniforms: { readonly [K in keyof U]: number },
  options: { readonly workgroups: (rows: number) => Workgroups; readonly overrides?: Overrides },
): Promise<Dispatch> {
  const pipeline = await pipelineFor(device, kernel, options.overrides ?? {})
  const buffer = uniformBuffer(device, packUniforms(kernel.uniforms, uniforms))
  const bindGroup = device.createBindGroup({
    label: kernel.name,
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: { buffer } },
      ...kernel.bindings.map((name, index) => ({
        binding: index + 1,
        resource: bindingOf(tensors[name]),
      })),
    ],
  })
  return { label: kernel.name, pipeline, bindGroup, workgroups: options.workgroups }
}

/** Encodes one bound kernel into an open pass. @throws HycoraError `shape-mismatch` where its grid is too large. */
export function encode(pass: GPUComputePassEncoder, dispatch: Dispatch, rows: number): void {
  const [x, y, z] = dispatch.workgroups(rows)
  check(
    Math.max(x, y, z) <= MOST_WORKGROUPS,
    'shape-mismatch',
    () =>
      `${dispatch.label}: a grid of ${x} × ${y} × ${z} workgroups, at most ${MOST_WORKGROUPS} fit in a dimension`,
  )
  pass.setPipeline(dispatch.pipeline)
  pass.setBindGroup(0, dispatch.bindGroup)
  pass.dispatchWorkgroups(x, y, z)
}

/** Encodes and submits bound kernels in order, in one pass. */
export function submit(device: GPUDevice, dispatches: readonly Dispatch[], rows: number): void {
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  for (const dispatch of dispatches) encode(pass, dispatch, rows)
  pass.end()
  device.queue.submit([encoder.finish()])
}

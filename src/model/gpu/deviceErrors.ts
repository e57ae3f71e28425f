import { HycoraError } from '../../core/errors.ts'

/**
 * Runs `work` and turns what the device complains of meanwhile into one error.
 *
 * @throws HycoraError `out-of-memory` when memory ran out, `shape-mismatch` on a validation error; what `work` threw otherwise.
 */
export async function withDeviceErrors<T>(
  device: GPUDevice,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  device.pushErrorScope('validation')
  device.pushErrorScope('out-of-memory')
  let result: T
  try {
    result = await work()
  } catch (error) {
    await Promise.all([device.popErrorScope(), device.popErrorScope()]).catch(() => undefined)
    throw error
  }
  const [memory, validation] = await Promise.all([device.popErrorScope(), device.popErrorScope()])
  if (memory)
    throw new HycoraError('out-of-memory', `${what} does not fit into the graphics memory: ${memory.message}`)
  if (validation) throw new HycoraError('shape-mismatch', `${what}: ${validation.message}`)
  return result
}

import { HycoraError } from '../core/errors.ts'

/** What a device complained of outside of every error scope since it was last forgotten: the first of it. */
const faults = new WeakMap<GPUDevice, HycoraError>()

/**
 * Listens for what a device complains of outside of every error scope. WebGPU goes on behind such an error, and whoever
 * reads a result gets what was there before: so reading throws it.
 */
export function listenForFaults(device: GPUDevice): void {
  device.addEventListener('uncapturederror', ({ error }) => {
    if (!faults.has(device)) faults.set(device, faultOf(error))
  })
}

/**
 * Throws what the device has complained of, to each who reads until it is forgotten: of several that wait, nobody knows
 * whose result it spoilt.
 *
 * @throws HycoraError `out-of-memory`; `shape-mismatch` for a call that was not valid; `device-lost` for a failure of the
 * driver's own.
 */
export function throwFault(device: GPUDevice): void {
  const fault = faults.get(device)
  if (fault) throw fault
}

/** Lets a fault fall, and what followed from it: whoever was at work has heard of it, and has ended. */
export function forgetFaults(device: GPUDevice): void {
  faults.delete(device)
}

function faultOf(error: GPUError): HycoraError {
  // By name: the classes are no globals in Node.
  switch (error.constructor.name) {
    case 'GPUOutOfMemoryError':
      return new HycoraError('out-of-memory', `the graphics memory does not suffice: ${error.message}`)
    case 'GPUInternalError':
      return new HycoraError('device-lost', `the graphics driver failed: ${error.message}`)
    default:
      return new HycoraError('shape-mismatch', `the graphics device refuses a call: ${error.message}`)
  }
}

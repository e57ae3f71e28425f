/** WebAssembly addresses no more than this. */
const HEAP_BYTES = 2 ** 32

/** What onnxruntime itself and a run's own values take. */
const WORKING_BYTES = 384 * 2 ** 20

/** Keys and values of two texts are kept, and a run has those of one twice more: as what it takes and what it gives. */
const COPIES = 4

/** The cache has this much in any case: a model that opened at all is to have room for a chat. */
const LEAST_BYTES = 96 * 2 ** 20

/** Each run copies all of the cache: beyond this it would cost more time than the model itself. */
const MOST_BYTES = 2 ** 30

/** The share of a device's memory that one page may take before the system begins to swap. */
const SHARE = 0.5

/** What is used of Node's process; browsers have none. */
interface NodeProcess {
  availableMemory?(): number
}

/** Bytes of memory that this device has for us, as far as it says. */
export function memoryBytes(): number {
  const { process, navigator } = globalThis as {
    readonly process?: NodeProcess
    readonly navigator?: { readonly deviceMemory?: number }
  }
  const available = process?.availableMemory?.()
  if (available !== undefined && available > 0) return available
  // Browsers say at most 8, and not all of them say anything: then it is a usual machine.
  return (navigator?.deviceMemory ?? 8) * SHARE * 2 ** 30
}

/**
 * What the cache of keys and values may take, behind weights of `weightBytes`; the context is cut to what fits. It grows
 * as it is filled, so that a short chat takes none of this.
 */
export function cacheBytes(weightBytes: number, memory = memoryBytes()): number {
  const free = Math.min(memory, HEAP_BYTES) - weightBytes - WORKING_BYTES
  return Math.max(LEAST_BYTES, Math.min(MOST_BYTES, Math.floor(free / COPIES)))
}

/** The least that a model with weights of so many bytes takes on the processor. */
export function processorNeeds(weightBytes: number): number {
  return weightBytes + WORKING_BYTES + COPIES * LEAST_BYTES
}

/** What of the device's memory WebAssembly can address. */
export function processorRoom(memory = memoryBytes()): number {
  return Math.min(memory, HEAP_BYTES)
}

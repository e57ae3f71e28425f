/** Larger than any device allows: the buffer is there, and invalid, as a card out of memory gives it. */
const TOO_LARGE = 2 ** 42

/** Buffers by the order in which they were made, and which of them is made invalid. */
export interface WatchedBuffers {
  /** Their labels, since the last `watch`. */
  readonly labels: readonly string[]
  /** Forgets what was made; the buffer of this index will be invalid. */
  watch(invalid?: number): void
}

/**
 * Watches what a device makes of buffers. Those of uniforms are left out: a device keeps them for all kernels with equal
 * ones, so that an invalid one stays.
 */
export function watchBuffers(device: GPUDevice): WatchedBuffers {
  let labels: string[] = []
  let invalid: number | undefined
  const create = device.createBuffer.bind(device)
  device.createBuffer = (descriptor) => {
    const { label = '' } = descriptor
    if (label === 'uniforms') return create(descriptor)
    labels.push(label)
    return create(labels.length - 1 === invalid ? { ...descriptor, size: TOO_LARGE } : descriptor)
  }
  return {
    get labels() {
      return labels
    },
    watch(index) {
      labels = []
      invalid = index
    },
  }
}

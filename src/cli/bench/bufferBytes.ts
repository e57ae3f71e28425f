/** What lies in the buffers of a device. */
export interface BufferBytes {
  /** The most that there was at once since the watch began. */
  readonly peak: number
}

/** Counts the bytes of every buffer that is made on a device from now on, until it is destroyed. */
export function watchBuffers(device: GPUDevice): BufferBytes {
  const create = device.createBuffer.bind(device)
  let now = 0
  let peak = 0
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor)
    const destroy = buffer.destroy.bind(buffer)
    let bytes = descriptor.size
    now += bytes
    peak = Math.max(peak, now)
    buffer.destroy = () => {
      now -= bytes
      bytes = 0
      return destroy()
    }
    return buffer
  }
  return {
    get peak() {
      return peak
    },
  }
}

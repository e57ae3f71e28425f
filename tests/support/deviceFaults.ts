/** What goes wrong on a device, by what should be said of it. */
export const DEVICE_FAULTS = [
  { fault: 'a binding of no bytes', code: 'shape-mismatch', inject: bindNothing },
  { fault: 'a destroyed buffer', code: 'shape-mismatch', inject: useDestroyed },
  { fault: 'a wrong bind group', code: 'shape-mismatch', inject: bindWrongly },
  { fault: 'no memory', code: 'out-of-memory', inject: exhaustMemory },
] as const

const [STORAGE, COPY_SRC, COPY_DST, COMPUTE] = [0x80, 0x4, 0x8, 0x4]
/** No device has room for so many of the largest buffers. */
const MOST_BUFFERS = 256

function storageLayout(device: GPUDevice): GPUBindGroupLayout {
  return device.createBindGroupLayout({
    entries: [{ binding: 0, visibility: COMPUTE, buffer: { type: 'storage' } }],
  })
}

function bindNothing(device: GPUDevice): void {
  const buffer = device.createBuffer({ size: 16, usage: STORAGE })
  const entries = [{ binding: 0, resource: { buffer, offset: 0, size: 0 } }]
  device.createBindGroup({ layout: storageLayout(device), entries })
}

function useDestroyed(device: GPUDevice): void {
  const [from, to] = [COPY_SRC, COPY_DST].map((usage) => device.createBuffer({ size: 16, usage }))
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(from!, 0, to!, 0, 16)
  from!.destroy()
  device.queue.submit([encoder.finish()])
}

function bindWrongly(device: GPUDevice): void {
  const uniform = { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform' as const } }
  const other = device.createBindGroupLayout({ entries: [uniform] })
  const buffer = device.createBuffer({ size: 16, usage: 0x40 })
  const bindGroup = device.createBindGroup({ layout: other, entries: [{ binding: 0, resource: { buffer } }] })
  const code =
    '@group(0) @binding(0) var<storage, read_write> x: array<u32>; @compute @workgroup_size(1) fn main() { x[0] = 1u; }'
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [storageLayout(device)] }),
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  })
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, bindGroup)
  pass.dispatchWorkgroups(1)
  pass.end()
  device.queue.submit([encoder.finish()])
}

function exhaustMemory(device: GPUDevice): void {
  const full = new AbortController()
  device.addEventListener('uncapturederror', () => full.abort(), { once: true })
  const buffers: GPUBuffer[] = []
  while (!full.signal.aborted && buffers.length < MOST_BUFFERS) {
    buffers.push(device.createBuffer({ size: device.limits.maxBufferSize, usage: STORAGE }))
  }
  for (const buffer of buffers) buffer.destroy()
}

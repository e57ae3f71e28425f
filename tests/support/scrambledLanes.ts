const LANE = '@builtin(local_invocation_index) lane: u32'
const SIZE = /@compute @workgroup_size\((\w+)\)/
/** The line that opens an entry point whose parameters are one a line, or one line. */
const BODY = /(@compute[\s\S]*?\) \{\n)/

/**
 * A kernel whose lanes have changed places: `lane = (index · 37 + 11) mod size`. Drivers on a processor run lanes in their
 * order, or a few at a time, so that one may find what another was to write, and a barrier that is missing does not show;
 * with lanes out of order most of them do.
 */
export function scrambleLanes(code: string): string {
  const size = SIZE.exec(code)?.[1]
  if (size === undefined || !code.includes(LANE)) return code
  const renamed = code.replace(LANE, LANE.replace(' lane', ' index_of_lane'))
  return renamed.replace(
    BODY,
    `$1  let lane = (index_of_lane * 37u + 11u) % ${/^\d+$/.test(size) ? `${size}u` : size};\n`,
  )
}

/** Lets a device compile all kernels but those left out with scrambled lanes; gives their names as they come. */
export function scrambleDevice(device: GPUDevice, leftOut: readonly string[] = []): ReadonlySet<string> {
  const scrambled = new Set<string>()
  const compile = device.createShaderModule.bind(device)
  device.createShaderModule = (descriptor) => {
    const { label = '' } = descriptor
    const code = leftOut.includes(label) ? descriptor.code : scrambleLanes(descriptor.code)
    if (code !== descriptor.code) scrambled.add(label)
    return compile({ ...descriptor, code })
  }
  return scrambled
}

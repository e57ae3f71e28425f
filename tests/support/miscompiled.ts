/** One kernel whose text is changed on its way to the driver, as by a compiler with a fault. */
export interface Miscompiled {
  readonly kernel: string
  readonly find: string
  readonly replace: string
}

/** Lets a device compile a kernel from another text. */
export function miscompile(
  device: GPUDevice,
  descriptor: GPUShaderModuleDescriptor,
  { kernel, find, replace }: Miscompiled,
): GPUShaderModule {
  const { code, label } = descriptor
  if (label !== kernel) return device.createShaderModule(descriptor)
  if (!code.includes(find)) throw new Error(`${kernel} has no "${find}"`)
  return device.createShaderModule({ label, code: code.replace(find, replace) })
}

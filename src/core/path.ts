/** What computes: our kernels on WebGPU, or onnxruntime on the processor, whose name in kept settings is `wasm`. */
export type Path = 'webgpu' | 'wasm'

/** Which path to take; `auto` is WebGPU on a graphics card, and else whichever answers faster. */
export type PathChoice = 'auto' | Path

/** Tokens a second in reading a prompt and in answering. */
export interface PathRate {
  readonly prefill: number
  readonly decode: number
}

export type PathRates = Readonly<Partial<Record<Path, PathRate>>>

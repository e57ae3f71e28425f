import type { Path, PathRates } from '../core/path.ts'

/** What computes the answers, and why that. */
export interface Computing {
  readonly path: Path
  /**
   * `graphics-card`: there is one; `chosen`: it was asked for; `faster`: measured beside the other on a software
   * adapter; `lost`: the graphics device is gone for good; `failed`: WebGPU could not take the model; `wrong`: it computes
   * known answers wrongly; `unknown-graph`:
   * our kernels do not know the model's graph; `no-…`: there is nothing to compute on, each for its own reason.
   */
  readonly why:
    | 'graphics-card'
    | 'chosen'
    | 'faster'
    | 'lost'
    | 'failed'
    | 'wrong'
    | 'unknown-graph'
    | 'no-webgpu'
    | 'no-adapter'
    | 'no-device'
  /** The words of whatever failed, else empty. */
  readonly reason: string
  /** What was measured here, now or on an earlier visit; a graphics card is not measured. */
  readonly rates: PathRates
}

/** How far a backbone is on its way to what computes. */
export interface LoadProgress {
  /** `convert` is what the processor's path has in place of `upload` and `compile`; `measure` follows either. */
  readonly stage: 'read' | 'upload' | 'compile' | 'warm-up' | 'convert' | 'measure'
  readonly doneBytes: number
  readonly totalBytes: number
}

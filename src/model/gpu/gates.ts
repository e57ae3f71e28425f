import { geglu } from '../../kernels/geglu.ts'
import { gegluBackward } from '../../kernels/gegluBackward.ts'
import { swiglu } from '../../kernels/swiglu.ts'
import { swigluBackward } from '../../kernels/swigluBackward.ts'
import type { GateActivation } from '../decoder/decoder.ts'

interface GateKernels {
  readonly forward: typeof swiglu
  readonly backward: typeof swigluBackward
}

/** The kernels of MLPs' gates. */
export const GATES: Readonly<Record<GateActivation, GateKernels>> = {
  silu: { forward: swiglu, backward: swigluBackward },
  gelu: { forward: geglu, backward: gegluBackward },
}

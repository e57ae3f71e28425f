import { check } from '../../core/errors.ts'
import type { Pack } from '../../formats/pack.ts'
import { checkParents } from '../../formats/packRoles.ts'
import type { Casting } from '../decoder/backbone.ts'
import { openHypernetwork } from './cpuHypernetwork.ts'
import type { PackTensors } from './adapterLayout.ts'
import type { CpuHypernetwork } from './cpuHypernetwork.ts'
import type { Projection } from '../decoder/decoder.ts'

/** A pack's matrices on the CPU, whatever its sources are. */
export interface AdapterMatrices {
  /**
   * strength · (α / rank) · Σ_i w_i·A_i of a casting, [in, rank]: exact for any weights, since A is what is mixed.
   *
   * @throws HycoraError `usage` for a role that does not exist; as `checkParents`.
   */
  mixA(casting: Casting, layer: number, projection: Projection): Float32Array
  /** Σ_i w_i·A_i alone, for whoever scales by α / rank and strength himself; @throws as `mixA`. */
  plainA(casting: Casting, layer: number, projection: Projection): Float32Array
  /** B [rank, out] of a casting. */
  b(casting: Casting, layer: number, projection: Projection): Float32Array
}

/** Row `role` of a stored table [rows, …], or all of it where one is shared. */
function row(pack: PackTensors, name: string, role: number | null): Float32Array {
  const values = pack.tensor(name)
  if (role === null) return values
  const size = values.length / pack.rows
  return values.subarray(role * size, (role + 1) * size)
}

/** A of one role. */
function matrixA(
  pack: PackTensors,
  hypernetwork: CpuHypernetwork | null,
  { role, layer, projection }: { role: number; layer: number; projection: Projection },
): Float32Array {
  const stem = `layers.${layer}.${projection}`
  const source = pack.config.sources.A
  if (source === 'shared') return row(pack, `${stem}.lora_A`, null)
  if (source === 'table') return row(pack, `${stem}.lora_A_table`, role)
  const generated = hypernetwork?.generate(role, layer, projection, 'A') ?? new Float32Array(0)
  if (source === 'hyper') return generated
  const fixed = pack.tensor(`${stem}.lora_A0`)
  return generated.map((value, i) => value + (fixed[i] ?? 0))
}

/**
 * The matrices of a pack.
 *
 * @throws HycoraError `format-invalid` when a source is generated and the pack has no hyper-network.
 */
export function openAdapterMatrices(file: PackTensors): AdapterMatrices {
  const pack = withWideTensors(file)
  const { sources, alpha, rank } = pack.config
  const isGenerated = sources.A.startsWith('hyper') || sources.B === 'hyper'
  const hypernetwork = isGenerated ? openHypernetwork(pack) : null
  const checkCasting = ({ parts }: Casting): void => {
    checkParents(sources.B, parts.length)
    const missing = parts.find(({ role }) => !(role >= 0 && role < pack.rows))
    check(
      missing === undefined,
      'usage',
      () => `role ${missing?.role} does not exist, the pack has ${pack.rows}`,
    )
  }
  const mix = (casting: Casting, scale: number, layer: number, projection: Projection): Float32Array => {
    checkCasting(casting)
    const size = (pack.config.dims.get(projection)?.[0] ?? 0) * rank
    const mixed = new Float64Array(size)
    for (const { role, weight } of casting.parts) {
      const a = matrixA(pack, hypernetwork, { role, layer, projection })
      for (let i = 0; i < size; i++) mixed[i] = (mixed[i] ?? 0) + scale * weight * (a[i] ?? 0)
    }
    return Float32Array.from(mixed)
  }
  return {
    mixA: (casting, layer, projection) => mix(casting, (casting.strength * alpha) / rank, layer, projection),
    plainA: (casting, layer, projection) => mix(casting, 1, layer, projection),
    b(casting, layer, projection) {
      checkCasting(casting)
      const role = casting.parts[0]?.role ?? 0
      const stem = `layers.${layer}.${projection}`
      if (sources.B === 'shared') return row(pack, `${stem}.lora_B`, null)
      if (sources.B === 'table') return row(pack, `${stem}.lora_B_table`, role)
      return hypernetwork?.generate(role, layer, projection, 'B') ?? new Float32Array(0)
    },
  }
}

/** The pack with halves widened once: the hyper-network reads its weights anew for every linear layer. */
function withWideTensors({ config, rows, tensor }: PackTensors): PackTensors {
  const wide = new Map<string, Float32Array>()
  return {
    config,
    rows,
    tensor(name) {
      const values = wide.get(name) ?? tensor(name)
      wide.set(name, values)
      return values
    },
  }
}

/** Whether a pack adapts a projection. */
export function isAdapted(pack: Pack, projection: Projection): boolean {
  return pack.config.dims.has(projection)
}

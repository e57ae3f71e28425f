import { Random } from '../../src/core/random.ts'
import { memorySource } from '../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../src/formats/pack.ts'
import type { Pack } from '../../src/formats/pack.ts'
import { expectedTensors } from '../../src/formats/packConfig.ts'
import type { PackConfig, PackProjection, SourceOfA, SourceOfB } from '../../src/formats/packConfig.ts'
import type { SafetensorsTensor } from '../../src/formats/safetensors.ts'
import type { Casting } from '../../src/model/decoder/backbone.ts'
import type { Decoder } from '../../src/model/decoder/decoder.ts'
import { PROJECTIONS } from '../../src/model/decoder/decoder.ts'
import type { ReferenceAdapters } from '../reference/decoder.ts'
import { generateA, generateB } from '../reference/hypernetwork.ts'

export interface DecoderPackOptions {
  readonly A?: SourceOfA
  readonly B?: SourceOfB
  readonly rank?: number
  readonly roles?: number
  readonly projections?: readonly PackProjection[]
}

/** A pack with seeded random values that fits a decoder; its adapters move the logits plainly. */
export async function decoderPack(decoder: Decoder, options: DecoderPackOptions = {}): Promise<Pack> {
  const { A = 'hyper', B = 'shared', rank = 3, roles = 3, projections = PROJECTIONS } = options
  const isHyper = A.startsWith('hyper') || B === 'hyper'
  const linears = decoder.blocks[0]!.linears
  const dims = new Map(
    projections.map((name) => [name, [linears[name].weight.in, linears[name].weight.out] as const] as const),
  )
  const config: PackConfig = {
    rank,
    alpha: 2 * rank,
    layers: decoder.layers,
    projections,
    dims,
    sources: { A, B },
    roleEmbedding: isHyper ? 6 : null,
    hypernetwork: isHyper
      ? {
          layerEmbedding: 4,
          hidden: 10,
          residualBlocks: 1,
          generatorRank: 5,
          layernormInput: true,
          layernormOutput: true,
        }
      : null,
  }
  const random = new Random(11)
  const tensors = new Map<string, SafetensorsTensor>()
  for (const [name, shape] of expectedTensors(config, roles, { hasHeads: false })) {
    const offset = /norm\w*\.weight$/.test(name) ? 1 : 0
    const values = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => {
      return offset + 0.3 * random.nextNormal()
    })
    tensors.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) })
  }
  const bytes = await writePack({
    config,
    roles: Array.from({ length: roles }, (_, i) => ({
      name: `Role ${i}`,
      card: null,
      system: null,
      blend: null,
    })),
    backbone: { name: 'tiny', architecture: decoder.architecture, fingerprint: '' },
    provenance: {},
    tensors,
  })
  return readPack(memorySource('tiny.hycora.safetensors', bytes))
}

/** What a casting of a pack adds to each linear layer, from the reference hyper-network. */
export function referenceAdapters(pack: Pack, { parts, strength }: Casting): ReferenceAdapters {
  const { config } = pack
  const { rank, alpha, layers, projections, sources } = config
  const parameters = new Map([...pack.tensors.keys()].map((name) => [name, pack.tensor(name)] as const))
  const rowOf = (name: string, role: number): Float32Array => {
    const values = pack.tensor(name)
    return values.subarray((role * values.length) / pack.rows, ((role + 1) * values.length) / pack.rows)
  }
  return (layer, projection) => {
    const index = projections.indexOf(projection)
    if (index < 0) return undefined
    const layerId = index * layers + layer
    const stem = `layers.${layer}.${projection}`
    const aOf = (role: number): ArrayLike<number> => {
      if (sources.A === 'shared') return pack.tensor(`${stem}.lora_A`)
      if (sources.A === 'table') return rowOf(`${stem}.lora_A_table`, role)
      return generateA(parameters, config, role, layerId)
    }
    const bOf = (role: number): ArrayLike<number> => {
      if (sources.B === 'shared') return pack.tensor(`${stem}.lora_B`)
      if (sources.B === 'table') return rowOf(`${stem}.lora_B_table`, role)
      return generateB(parameters, config, role, layerId)
    }
    const a = new Float64Array(config.dims.get(projection)![0] * rank)
    for (const { role, weight } of parts) {
      const values = aOf(role)
      for (let i = 0; i < a.length; i++) a[i] = a[i]! + weight * values[i]!
    }
    return { a, b: Float64Array.from(bOf(parts[0]!.role)), scale: (strength * alpha) / rank }
  }
}

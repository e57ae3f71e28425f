import { Random } from '../../src/core/random.ts'
import type { PackContent } from '../../src/formats/pack.ts'
import {
  expectedTensors,
  type PackConfig,
  type PackProjection,
  type SourceOfA,
  type SourceOfB,
} from '../../src/formats/packConfig.ts'
import type { SafetensorsTensor } from '../../src/formats/safetensors.ts'
import type { Parameters } from '../reference/hypernetwork.ts'

export interface TinyPackOptions {
  readonly A?: SourceOfA
  readonly B?: SourceOfB
  readonly heads?: boolean
  readonly seed?: number
  readonly roles?: number
  readonly layers?: number
  /** Leaves out the norms of the encoder's input and output. */
  readonly bare?: boolean
}

const DIMS: readonly (readonly [PackProjection, readonly [number, number]])[] = [
  ['q', [8, 8]],
  ['k', [8, 4]],
  ['v', [8, 4]],
  ['o', [8, 8]],
  ['up', [8, 12]],
  ['down', [12, 8]],
  ['gate', [8, 12]],
]

/** The configuration of `tinyPack`: rank 2, hidden 8, seven projections, every size different where it can be. */
export function tinyConfig({
  A = 'hyper',
  B = 'shared',
  heads = true,
  layers = 2,
  bare = false,
}: TinyPackOptions = {}): PackConfig {
  const isHyper = A.startsWith('hyper') || B === 'hyper'
  return {
    rank: 2,
    alpha: 4,
    layers,
    projections: DIMS.map(([projection]) => projection),
    dims: new Map(DIMS),
    sources: { A, B },
    roleEmbedding: isHyper || heads ? 5 : null,
    hypernetwork: isHyper
      ? {
          layerEmbedding: 3,
          hidden: 6,
          residualBlocks: 2,
          generatorRank: 4,
          layernormInput: !bare,
          layernormOutput: !bare,
        }
      : null,
  }
}

/**
 * A valid pack whose values depend on the seed alone and not on the machine: uniform in (−½, ½), gains around 1, in
 * the order of `expectedTensors`.
 */
export function tinyPack(options: TinyPackOptions = {}): PackContent {
  const { heads = true, seed = 1, roles = 3 } = options
  const config = tinyConfig(options)
  const random = new Random(seed)
  const tensors = new Map<string, SafetensorsTensor>()
  for (const [name, shape] of expectedTensors(config, roles, { hasHeads: heads })) {
    const offset = /norm\w*\.weight$/.test(name) ? 1 : 0
    const count = shape.reduce((product, size) => product * size, 1)
    const values = Float32Array.from({ length: count }, () => offset + random.nextUniform() - 0.5)
    tensors.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) })
  }
  return {
    config,
    roles: Array.from({ length: roles }, (_, index) => ({
      name: `Role ${index}`,
      card: null,
      system: index === 0 ? null : `You are role ${index}.`,
      blend: null,
    })),
    backbone: { name: 'tiny', architecture: 'llama', fingerprint: '0'.repeat(64) },
    provenance: { note: 'for tests', seed },
    tensors,
  }
}

/** The F32 tensors of a pack's content as numbers. */
export function parametersOf(content: PackContent): Parameters {
  return new Map(
    [...content.tensors].map(([name, { bytes }]) => [name, new Float32Array(bytes.slice().buffer)] as const),
  )
}

import { HycoraError, check } from '../../core/errors.ts'
import type { Pack, PackBackbone, PackContent } from '../../formats/pack.ts'
import { writePack } from '../../formats/pack.ts'
import type { PackConfig } from '../../formats/packConfig.ts'
import type { PackRole } from '../../formats/packRoles.ts'
import { PROJECTIONS } from '../../model/decoder/decoder.ts'
import type { Decoder } from '../../model/decoder/decoder.ts'
import { expectFits } from '../../model/adapter/adapter.ts'
import type { TrainConfig } from '../settings/config.ts'
import { initialTensors, packTensors, withNewRole } from './initialise.ts'
import type { NamedTensors } from './initialise.ts'

/** What a run trains: a pack in the making. */
export interface Trainee {
  readonly config: PackConfig
  readonly roles: readonly PackRole[]
  readonly tensors: NamedTensors
  readonly hasHeads: boolean
  /** The only role whose vector is fitted; null where everything trains. */
  readonly onlyRole: number | null
}

/** A role's line by the configuration: its own text, or the template with its name; null for none. */
export function systemLine(system: TrainConfig['system'], name: string): string | null {
  if (system === null) return null
  if (typeof system === 'string') return system.replaceAll('{name}', () => name)
  return Object.hasOwn(system, name) ? (system[name] ?? null) : null
}

/** The line of a role in the pack to be, by which its rows are encoded: the start pack's own, else the configuration's. */
export function learntLine(
  { system }: Pick<TrainConfig, 'system'>,
  start: Pick<Pack, 'roles' | 'rows'> | null,
  name: string,
): string | null {
  const own = start?.roles.slice(0, start.rows).find((role) => role.name === name)
  return own ? own.system : systemLine(system, name)
}

function freshConfig(config: TrainConfig, decoder: Decoder): PackConfig {
  const { linears } = decoder.blocks[0] ?? {}
  check(linears, 'model-incompatible', () => 'the backbone has no layers')
  const { hypernetwork, sources } = config
  const isHyper = sources.A.startsWith('hyper') || sources.B === 'hyper'
  const hasVectors = isHyper || config.contrast.form !== 'off'
  const targets = PROJECTIONS.filter((name) => config.targets.includes(name))
  return {
    rank: config.rank,
    alpha: config.alpha,
    layers: decoder.layers,
    projections: targets,
    dims: new Map(
      targets.map((name) => [name, [linears[name].weight.in, linears[name].weight.out] as const]),
    ),
    sources,
    roleEmbedding: hasVectors ? hypernetwork.roleEmbedding : null,
    hypernetwork: isHyper
      ? {
          layerEmbedding: hypernetwork.layerEmbedding,
          hidden: hypernetwork.hidden,
          residualBlocks: hypernetwork.residualBlocks,
          generatorRank: hypernetwork.generatorRank,
          layernormInput: true,
          layernormOutput: true,
        }
      : null,
  }
}

function beginFresh(config: TrainConfig, decoder: Decoder, names: readonly string[]): Trainee {
  check(
    config.mode === 'all',
    'usage',
    () => `mode "${config.mode}" adds a role to a pack, so it needs a start pack`,
  )
  const packConfig = freshConfig(config, decoder)
  const hasHeads = config.contrast.form !== 'off'
  const roles = names.map((name) => ({
    name,
    card: null,
    system: learntLine(config, null, name),
    blend: null,
  }))
  const tensors = initialTensors(packConfig, roles.length, { hasHeads, seed: config.seed })
  return { config: packConfig, roles, tensors, hasHeads, onlyRole: null }
}

function beginFrom(start: Pack, config: TrainConfig, decoder: Decoder, names: readonly string[]): Trainee {
  expectFits(start, decoder)
  const own = start.roles.slice(0, start.rows)
  for (const { name, system } of own.filter((role) => names.includes(role.name))) {
    const wanted = systemLine(config.system, name)
    check(
      wanted === null || wanted === system,
      'usage',
      () => `the configuration gives ${name} another line than the start pack does: leave it out of "system"`,
    )
  }
  const tensors: NamedTensors = new Map(
    [...start.tensors.keys()].map((name) => [name, Float32Array.from(start.tensor(name))]),
  )
  const wanted = config.mode === 'all' ? names : [config.role ?? '']
  const missing = wanted.filter((name) => own.every((role) => role.name !== name))
  if (missing.length === 0) {
    const index = own.findIndex(({ name }) => name === config.role)
    return {
      config: start.config,
      roles: own,
      tensors,
      hasHeads: start.hasHeads,
      onlyRole: config.mode === 'quick' ? index : null,
    }
  }
  if (config.mode === 'all') {
    throw new HycoraError(
      'usage',
      `the data has ${missing.join(', ')}, which the start pack lacks: use mode "full" for a new role`,
    )
  }
  const [name = ''] = missing
  return {
    config: start.config,
    roles: [...own, { name, card: null, system: learntLine(config, start, name), blend: null }],
    tensors: withNewRole(tensors, own.length, config.seed),
    hasHeads: start.hasHeads,
    onlyRole: config.mode === 'quick' ? own.length : null,
  }
}

/**
 * What a run begins with: tensors drawn anew, or those of a start pack, with the new role's row where there is one.
 *
 * @param names the roles of the data, in order.
 * @throws HycoraError `model-incompatible` when the start pack is another backbone's; `usage` when data, mode and start
 * pack do not go together, or when the run wants a likelihood gap.
 */
export function beginTraining(
  config: TrainConfig,
  decoder: Decoder,
  names: readonly string[],
  start: Pack | null,
): Trainee {
  check(
    config.gap.weight === 0,
    'usage',
    () =>
      `gap.weight is ${config.gap.weight}, and this trainer has no likelihood gap: set it to 0, or train with scale/`,
  )
  return start ? beginFrom(start, config, decoder, names) : beginFresh(config, decoder, names)
}

/** The pack's bytes, as trained so far. */
export function finishPack(
  trainee: Trainee,
  tensors: NamedTensors,
  backbone: PackBackbone,
  provenance: PackContent['provenance'],
): Promise<Uint8Array<ArrayBuffer>> {
  const { config, roles, hasHeads } = trainee
  return writePack({
    config,
    roles,
    backbone,
    provenance,
    tensors: packTensors(config, roles.length, tensors, { hasHeads }),
  })
}

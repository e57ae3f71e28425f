import { createHash } from 'node:crypto'

import { asList, asMap, asNatural, asNumber, asText, demand, parseJson } from './strictJson.ts'
import type { Json } from './strictJson.ts'

/*
 * A second reader of persona packs, written from docs/pack-format.md and the description of safetensors alone: it shares
 * no code with `src`, is slow and says only yes or no. The fuzz tests let it judge what the first reader accepts.
 */

function asSize(value: Json | undefined, most: number, least = 1): number {
  const size = asNumber(value)
  demand(Number.isInteger(size) && size >= least && size <= most, 'no size')
  return size
}

function keysAre(
  map: ReadonlyMap<string, Json>,
  keys: readonly string[],
  optional: readonly string[] = [],
): void {
  for (const key of keys) demand(map.has(key), `no ${key}`)
  for (const key of map.keys()) demand(keys.includes(key) || optional.includes(key), `unknown key ${key}`)
}

function utf8(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  demand(Buffer.from(text).equals(bytes), 'no UTF-8')
  return text
}

interface Config {
  readonly rank: number
  readonly layers: number
  readonly projections: readonly string[]
  readonly dims: ReadonlyMap<string, readonly [number, number]>
  readonly a: string
  readonly b: string
  readonly map: ReadonlyMap<string, Json>
}

const HYPER_KEYS = [
  'layer_embedding',
  'hidden',
  'residual_blocks',
  'generator_rank',
  'layernorm_input',
  'layernorm_output',
]

function isHyper({ a, b }: Config): boolean {
  return a === 'hyper' || a === 'hyper+static' || b === 'hyper'
}

function readConfig(text: string): Config {
  const map = asMap(parseJson(text))
  const projections = asList(map.get('projections')).map(asText)
  demand(projections.length > 0 && new Set(projections).size === projections.length, 'projections repeat')
  for (const name of projections)
    demand(['q', 'k', 'v', 'o', 'up', 'down', 'gate'].includes(name), 'projection')
  const dimensions = asMap(map.get('dims'))
  keysAre(dimensions, projections)
  const dims = new Map(
    [...dimensions].map(([name, pair]) => {
      const sizes = asList(pair)
      demand(sizes.length === 2, 'dims')
      return [name, [asSize(sizes[0], 2 ** 24), asSize(sizes[1], 2 ** 24)] as const] as const
    }),
  )
  const sources = asMap(map.get('sources'))
  keysAre(sources, ['A', 'B'])
  const [a, b] = [asText(sources.get('A')), asText(sources.get('B'))]
  demand(['shared', 'table', 'hyper', 'hyper+static'].includes(a), 'source of A')
  demand(['shared', 'table', 'hyper'].includes(b), 'source of B')
  demand(asNumber(map.get('alpha')) > 0, 'alpha')
  const config = {
    rank: asSize(map.get('rank'), 256),
    layers: asSize(map.get('layers'), 2 ** 24),
    projections,
    dims,
    a,
    b,
    map,
  }
  const keys = ['rank', 'alpha', 'layers', 'projections', 'dims', 'sources']
  if (isHyper(config)) {
    keysAre(map, [...keys, 'role_embedding', ...HYPER_KEYS])
    for (const key of HYPER_KEYS.slice(0, 4)) {
      asSize(map.get(key), 2 ** 24, key === 'residual_blocks' ? 0 : 1)
    }
    for (const key of HYPER_KEYS.slice(4)) demand(typeof map.get(key) === 'boolean', key)
  } else keysAre(map, keys, ['role_embedding'])
  if (map.has('role_embedding')) asSize(map.get('role_embedding'), 2 ** 24)
  return config
}

/** How many roles have rows. */
function readRoles(text: string): number {
  const roles = asList(parseJson(text)).map(asMap)
  demand(roles.length >= 1 && roles.length <= 4096, 'number of roles')
  const names = roles.map((role) => asText(role.get('name')))
  demand(new Set(names).size === names.length, 'a name twice')
  const blends = roles.map((role) => role.get('blend'))
  const rows = blends.includes(undefined) ? blends.lastIndexOf(undefined) + 1 : 0
  demand(rows > 0, 'no role has a row')
  for (const [index, role] of roles.entries()) {
    keysAre(role, ['name'], ['card', 'system', 'blend'])
    const name = names[index]!
    demand(name.length >= 1 && name.length <= 256, 'length of a name')
    if (role.has('card')) asMap(role.get('card'))
    if (role.has('system')) asText(role.get('system'))
    demand((blends[index] === undefined) === index < rows, 'a blend before a role')
    if (blends[index] === undefined) continue
    const parts = asList(blends[index]).map(asMap)
    demand(parts.length >= 1 && parts.length <= 64, 'parents of a blend')
    for (const part of parts) {
      keysAre(part, ['role', 'weight'])
      asNumber(part.get('weight'))
      demand(names.slice(0, rows).includes(asText(part.get('role'))), 'a parent without a row')
    }
  }
  return rows
}

/** The closed world of tensors, with and without the heads. */
function expectedShapes(config: Config, rows: number, hasHeads: boolean): Map<string, readonly number[]> {
  const { rank, layers, projections, dims, a, b, map } = config
  const shapes = new Map<string, readonly number[]>()
  const linear = (name: string, out: number, into: number): void => {
    shapes.set(`${name}.weight`, [out, into])
    shapes.set(`${name}.bias`, [out])
  }
  const norm = (name: string, size: number): void => {
    shapes.set(`${name}.weight`, [size])
    shapes.set(`${name}.bias`, [size])
  }
  const hyper = isHyper(config)
  const role = map.has('role_embedding') ? asNumber(map.get('role_embedding')) : 0
  demand(hyper || hasHeads === map.has('role_embedding'), 'role_embedding and the heads')
  if (hyper || hasHeads) shapes.set('roles_emb.weight', [rows, role])
  if (hasHeads) {
    const [first] = projections
    const width = dims.get(first!)![first === 'o' || first === 'down' ? 1 : 0]
    linear('hidden_to_role_emb_layer', role, width)
    linear('role_emb_to_role_emb_layer', role, role)
  }
  if (hyper) {
    const [layer, hidden, blocks, generator] = HYPER_KEYS.slice(0, 4).map((key) => asNumber(map.get(key)))
    shapes.set('layers_emb.weight', [projections.length * layers, layer!])
    if (map.get('layernorm_input')) norm('hypernet_encoder.norm_input', role + layer!)
    linear('hypernet_encoder.fc_input', hidden!, role + layer!)
    for (let block = 0; block < blocks!; block++) {
      norm(`hypernet_encoder.layers.${block}.norm`, hidden!)
      linear(`hypernet_encoder.layers.${block}.fc1`, hidden!, hidden!)
      linear(`hypernet_encoder.layers.${block}.fc2`, hidden!, hidden!)
      demand(shapes.size <= 2048, 'more tensors than a pack holds')
    }
    if (map.get('layernorm_output')) norm('hypernet_encoder.norm_output', hidden!)
    for (const [name, [into, out]] of dims) {
      if (a.startsWith('hyper')) {
        linear(`${name}_down_linear.down`, generator!, hidden!)
        linear(`${name}_down_linear.up`, into * rank, generator!)
      }
      if (b === 'hyper') {
        linear(`${name}_up_linear.down`, generator!, hidden!)
        linear(`${name}_up_linear.up`, rank * out, generator!)
      }
    }
  }
  for (let layer = 0; layer < layers; layer++) {
    for (const [name, [into, out]] of dims) {
      const stem = `layers.${layer}.${name}`
      if (a === 'shared') shapes.set(`${stem}.lora_A`, [into, rank])
      if (a === 'table') shapes.set(`${stem}.lora_A_table`, [rows, into, rank])
      if (a === 'hyper+static') shapes.set(`${stem}.lora_A0`, [into, rank])
      if (b === 'shared') shapes.set(`${stem}.lora_B`, [rank, out])
      if (b === 'table') shapes.set(`${stem}.lora_B_table`, [rows, rank, out])
    }
    demand(shapes.size <= 2048, 'more tensors than a pack holds')
  }
  return shapes
}

interface Entry {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

function readEntry(value: Json): Entry {
  const entry = asMap(value)
  keysAre(entry, ['dtype', 'shape', 'data_offsets'])
  const dtype = asText(entry.get('dtype'))
  demand(dtype === 'F32' || dtype === 'F16', 'dtype')
  const shape = asList(entry.get('shape')).map(asNatural)
  const offsets = asList(entry.get('data_offsets')).map(asNatural)
  demand(shape.length >= 1 && shape.length <= 4 && offsets.length === 2, 'shape or offsets')
  let bytes = dtype === 'F32' ? 4n : 2n
  for (const size of shape) {
    demand(size >= 1 && size <= 2 ** 24, 'dimension')
    bytes *= BigInt(size)
  }
  const [begin, end] = offsets as [number, number]
  demand(BigInt(end) - BigInt(begin) === bytes, 'size of a tensor')
  demand(begin % (dtype === 'F32' ? 4 : 2) === 0, 'alignment')
  return { dtype, shape, begin, end }
}

/** Throws an Error unless the bytes are a persona pack to the letter. */
export function expectStrictPack(bytes: Uint8Array): void {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  demand(file.length >= 8 && file.length <= 512 * 2 ** 20, 'size of the file')
  const length = file.readBigUInt64LE(0)
  demand(
    length <= 8n * 2n ** 20n && length % 8n === 0n && length + 8n <= BigInt(file.length),
    'header length',
  )
  const start = 8 + Number(length)
  const text = utf8(file.subarray(8, start))
  demand(text.startsWith('{'), 'begin of the header')
  demand(/\} *$/.test(text.slice(-4096)), 'end of the header')
  const header = asMap(parseJson(text))
  const metadata = asMap(header.get('__metadata__'))
  keysAre(metadata, ['format', 'format_version', 'config', 'backbone', 'roles', 'provenance', 'sha256'])
  const texts = new Map([...metadata].map(([key, value]) => [key, asText(value)]))
  for (const [key, value] of texts) {
    demand(Buffer.byteLength(value) <= (key === 'roles' ? 4 * 2 ** 20 : 64 * 2 ** 10), `length of ${key}`)
  }
  demand(texts.get('format') === 'hycora-pack' && texts.get('format_version') === '1', 'format')

  const entries = [...header].flatMap(([name, value]) =>
    name === '__metadata__' ? [] : [[name, readEntry(value)] as const],
  )
  demand(entries.length >= 1 && entries.length <= 2048, 'number of tensors')
  let end = 0
  for (const [, entry] of entries.toSorted(([, one], [, other]) => one.begin - other.begin)) {
    demand(entry.begin === end, 'a gap or an overlap')
    end = entry.end
  }
  const data = file.subarray(start)
  demand(end === data.length, 'end of the data')
  demand(createHash('sha256').update(data).digest('hex') === texts.get('sha256'), 'SHA-256')

  const config = readConfig(texts.get('config')!)
  const rows = readRoles(texts.get('roles')!)
  const backbone = asMap(parseJson(texts.get('backbone')!))
  keysAre(backbone, ['name', 'architecture', 'fingerprint'])
  for (const key of ['name', 'architecture']) asText(backbone.get(key))
  demand(/^(?:[0-9a-f]{64})?$/.test(asText(backbone.get('fingerprint'))), 'fingerprint')
  asMap(parseJson(texts.get('provenance')!))
  const names = new Set(entries.map(([name]) => name))
  const shapes = expectedShapes(config, rows, names.has('hidden_to_role_emb_layer.weight'))
  demand(shapes.size === names.size, 'number of tensors')
  for (const [name, { dtype, shape, begin, end: stop }] of entries) {
    demand(JSON.stringify(shapes.get(name)) === JSON.stringify(shape), `shape of ${name}`)
    const size = dtype === 'F32' ? 4 : 2
    for (let at = begin; at < stop; at += size) {
      const isFinite =
        size === 4 ? (data.readUInt32LE(at) >>> 23) % 256 < 255 : (data.readUInt16LE(at) >>> 10) % 32 < 31
      demand(isFinite, 'a value that is not finite')
    }
  }
}

import { hexSha256, joinBytes } from '../core/bytes.ts'
import { check } from '../core/errors.ts'
import { floatToHalf, halfToFloat } from '../core/half.ts'
import { ownField, type JsonRecord } from '../core/json.ts'
import type { Pack, PackContent } from './pack.ts'
import { packConfigJson } from './packConfig.ts'
import { checkParents, rowCount, type BlendPart, type PackRole } from './packRoles.ts'
import type { SafetensorsTensor } from './safetensors.ts'
import { floatTensor, halved, tensorValues, widened } from './tensorValues.ts'

/** Content that may have come from a file. */
type MaybePack = PackContent & Partial<Pick<Pack, 'sha256'>>

/** Whether a tensor of a pack has a row a role. */
function hasRows(name: string): boolean {
  return name === 'roles_emb.weight' || /\.lora_[AB]_table$/.test(name)
}

/** Whether a tensor belongs to the contrastive loss, which no role needs in order to play. */
function isHead(name: string): boolean {
  return name.startsWith('hidden_to_role_emb_layer.') || name.startsWith('role_emb_to_role_emb_layer.')
}

function roleOf(pack: PackContent, name: string): PackRole {
  const role = pack.roles.find((known) => known.name === name)
  check(role, 'usage', () => {
    return `the pack has no role "${name}"; it has ${pack.roles.map((known) => known.name).join(', ')}`
  })
  return role
}

/** Only the fields of `PackContent`, some of them anew. */
function contentOf(pack: PackContent, change: Partial<PackContent>): PackContent {
  const { config, roles, backbone, provenance, tensors, metadata } = pack
  return { config, roles, backbone, provenance, tensors, ...(metadata && { metadata }), ...change }
}

function withParents(provenance: JsonRecord, parents: readonly MaybePack[]): JsonRecord {
  const hashes = parents.flatMap(({ sha256 }) => (sha256 === undefined ? [] : [sha256]))
  return hashes.length === 0 ? provenance : { ...provenance, parents: hashes }
}

/** Some rows of a tensor in the order given, dtype and bits kept. */
function pickRows({ dtype, shape, bytes }: SafetensorsTensor, rows: readonly number[]): SafetensorsTensor {
  const size = bytes.length / (shape[0] ?? 1)
  const picked = rows.map((row) => bytes.subarray(row * size, (row + 1) * size))
  return { dtype, shape: [rows.length, ...shape.slice(1)], bytes: joinBytes(picked) }
}

/**
 * One role of a pack as a pack of its own: its row and all that is shared, dtype and bits kept. A blend takes the roles
 * that it mixes along. The provenance names the pack's SHA-256 as its parent.
 *
 * @throws HycoraError `usage` when the pack has no such role.
 */
export function extractRole(pack: MaybePack, name: string): PackContent {
  const role = roleOf(pack, name)
  const wanted = new Set(role.blend ? role.blend.map((part) => part.role) : [name])
  const rows = pack.roles.flatMap((known, row) => (wanted.has(known.name) && !known.blend ? [row] : []))
  const tensors = [...pack.tensors].map(
    ([key, tensor]) => [key, hasRows(key) ? pickRows(tensor, rows) : tensor] as const,
  )
  return contentOf(pack, {
    roles: pack.roles.filter((known) => known === role || (wanted.has(known.name) && !known.blend)),
    provenance: withParents(pack.provenance, [pack]),
    tensors: new Map(tensors),
  })
}

/**
 * What all roles of a pack share, as one lower-case hexadecimal SHA-256: of the configuration as JSON and, sorted by name,
 * of each shared tensor's name, dtype and bytes, without the heads. Packs of one stem can exchange roles.
 */
export async function packStem(pack: PackContent): Promise<string> {
  const shared = [...pack.tensors].filter(([name]) => !hasRows(name) && !isHead(name))
  const sums = await Promise.all(
    shared.map(async ([name, { dtype, bytes }]) => `${name} ${dtype} ${await hexSha256(bytes)}\n`),
  )
  const lines = [`${JSON.stringify(packConfigJson(pack.config))}\n`, ...sums.toSorted()]
  return hexSha256(new TextEncoder().encode(lines.join('')))
}

/**
 * Two packs of one stem as one: the rows of both, then the blends of both. A role that both hold alike stands there once.
 *
 * @throws HycoraError `model-incompatible` when the packs do not share backbone, configuration and shared tensors,
 *   `usage` when two different roles have the same name.
 */
export async function joinPacks(first: MaybePack, second: MaybePack): Promise<PackContent> {
  check(
    first.backbone.fingerprint === second.backbone.fingerprint &&
      (await packStem(first)) === (await packStem(second)),
    'model-incompatible',
    () => 'the two packs were not trained together: their backbone or what their roles share differs',
  )
  const isNew = (role: PackRole): boolean => {
    const twin = first.roles.find(({ name }) => name === role.name)
    check(!twin || isSameRole(first, twin, second, role), 'usage', () => {
      return `both packs have a role "${role.name}", and the two differ; rename one of them`
    })
    return twin === undefined
  }
  const fresh = second.roles.filter(isNew)
  const rows = second.roles.flatMap((role, row) => (fresh.includes(role) && !role.blend ? [row] : []))
  const tensors = [...first.tensors].map(([name, tensor]) => {
    const other = second.tensors.get(name)
    return [name, other && hasRows(name) ? appendRows(tensor, pickRows(other, rows)) : tensor] as const
  })
  return contentOf(first, {
    roles: [...first.roles, ...fresh].toSorted((a, b) => Number(a.blend !== null) - Number(b.blend !== null)),
    provenance: withParents(first.provenance, [first, second]),
    tensors: new Map(tensors),
  })
}

function isSameRole(first: PackContent, role: PackRole, second: PackContent, other: PackRole): boolean {
  if (JSON.stringify([role.blend, role.system]) !== JSON.stringify([other.blend, other.system])) return false
  if (role.blend) return true
  const [row, otherRow] = [first.roles.indexOf(role), second.roles.indexOf(other)]
  return [...first.tensors].every(([name, tensor]) => {
    const twin = second.tensors.get(name)
    if (!hasRows(name) || !twin) return true
    const [mine, theirs] = [pickRows(tensor, [row]), pickRows(twin, [otherRow])].map(tensorValues)
    return mine?.every((value, index) => value === theirs?.[index])
  })
}

/** Rows after rows; where the dtypes differ both become F32, which holds either exactly. */
function appendRows(first: SafetensorsTensor, second: SafetensorsTensor): SafetensorsTensor {
  const [a, b] = first.dtype === second.dtype ? [first, second] : [widened(first), widened(second)]
  const rows = (a.shape[0] ?? 0) + (b.shape[0] ?? 0)
  return { dtype: a.dtype, shape: [rows, ...a.shape.slice(1)], bytes: joinBytes([a.bytes, b.bytes]) }
}

/**
 * The vector of a role of a pack whose roles are nothing else: A generated, B shared or generated.
 *
 * @throws HycoraError `usage` when there is no such role, or it is a blend; `format-unsupported` where a role has
 *   matrices of its own.
 */
export function roleVector(pack: PackContent, name: string): Float32Array {
  const role = roleOf(pack, name)
  check(role.blend === null, 'usage', () => `${name} is a blend and has no vector of its own`)
  checkVectorsSuffice(pack)
  const table = pack.tensors.get('roles_emb.weight')
  return table ? tensorValues(pickRows(table, [pack.roles.indexOf(role)])) : new Float32Array(0)
}

function checkVectorsSuffice({ config: { sources } }: PackContent): void {
  check(sources.A.startsWith('hyper') && sources.B !== 'table', 'format-unsupported', () => {
    return `the roles of this pack are more than a vector: its sources are A ${sources.A}, B ${sources.B}`
  })
}

/**
 * A pack with one more role, given by its vector; the vector's values are kept exactly.
 *
 * @throws HycoraError as `roleVector`; `usage` when the name is taken, `shape-mismatch` for a vector of another length.
 */
export function addRole(pack: MaybePack, role: Omit<PackRole, 'blend'>, vector: Float32Array): PackContent {
  checkVectorsSuffice(pack)
  checkNameIsFree(pack, role.name)
  const table = pack.tensors.get('roles_emb.weight')
  const width = pack.config.roleEmbedding ?? 0
  check(table && vector.length === width, 'shape-mismatch', () => {
    return `the vector of ${role.name} has ${vector.length} numbers, the pack's have ${width}`
  })
  const row = floatTensor([1, width], vector)
  const isHalf = vector.every((value) => halfToFloat(floatToHalf(value)) === value)
  const added = table.dtype === 'F16' && isHalf ? halved(row, role.name) : row
  const rows = rowCount(pack.roles)
  return contentOf(pack, {
    roles: pack.roles.toSpliced(rows, 0, { ...role, blend: null }),
    provenance: withParents(pack.provenance, [pack]),
    tensors: new Map([...pack.tensors, ['roles_emb.weight', appendRows(table, added)]]),
  })
}

function checkNameIsFree(pack: PackContent, name: string): void {
  const isTaken = pack.roles.some((role) => role.name === name)
  check(!isTaken, 'usage', () => `the pack already has a role "${name}"`)
}

/**
 * A pack with one more blend: A is Σ weight·A of the parents, the weights as they are. Parts that are blends themselves
 * are resolved into their parents.
 *
 * @throws HycoraError `usage` when the name is taken or a part names no role; as `checkParents`.
 */
export function addBlend(
  pack: MaybePack,
  role: Omit<PackRole, 'blend'>,
  parts: readonly BlendPart[],
): PackContent {
  checkNameIsFree(pack, role.name)
  const weights = new Map<string, number>()
  for (const part of parts) {
    const { blend } = roleOf(pack, part.role)
    for (const parent of blend ?? [{ role: part.role, weight: 1 }]) {
      weights.set(parent.role, (weights.get(parent.role) ?? 0) + part.weight * parent.weight)
    }
  }
  checkParents(pack.config.sources.B, weights.size)
  const blend = Array.from(weights, ([parent, weight]) => ({ role: parent, weight }))
  return contentOf(pack, { roles: [...pack.roles, { ...role, blend }] })
}

/**
 * A pack in which a role has another name, card or line; blends follow the name.
 *
 * @throws HycoraError `usage` when there is no such role, or the new name is taken.
 */
export function changeRole(
  pack: PackContent,
  name: string,
  change: Partial<Omit<PackRole, 'blend'>>,
): PackContent {
  const role = roleOf(pack, name)
  const newName = change.name ?? name
  if (newName !== name) checkNameIsFree(pack, newName)
  const followed = (part: BlendPart): BlendPart => (part.role === name ? { ...part, role: newName } : part)
  const roles = pack.roles.map((known) =>
    known === role ? { ...role, ...change } : { ...known, blend: known.blend?.map(followed) ?? null },
  )
  return contentOf(pack, { roles })
}

/**
 * A pack with all tensors in one dtype: F32 exactly, F16 rounded to nearest.
 *
 * @throws HycoraError `usage` when a value is too large for F16.
 */
export function convertPack(pack: MaybePack, dtype: 'F32' | 'F16'): PackContent {
  const tensors = [...pack.tensors].map(
    ([name, tensor]) => [name, dtype === 'F32' ? widened(tensor) : halved(tensor, name)] as const,
  )
  return contentOf(pack, { tensors: new Map(tensors) })
}

/** The licence that a pack's provenance states; empty where it states none. */
export function packLicence(pack: PackContent): string {
  const licence = ownField(pack.provenance, 'licence') ?? ownField(pack.provenance, 'license')
  return typeof licence === 'string' ? licence : ''
}

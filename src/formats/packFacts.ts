import type { JsonRecord } from '../core/json.ts'
import type { Pack, PackContent } from './pack.ts'
import type { PackRole } from './packRoles.ts'
import type { SafetensorsTensor } from './safetensors.ts'
import { tensorBits } from './tensorValues.ts'

/** A pack as a file, by the page's own name for it. */
export interface PackFile {
  readonly name: string
  readonly file: Blob
}

/** A pack beside the one that came with the backbone; `id` stands for its bytes, which are read once. */
export interface PackRef extends PackFile {
  readonly id: string
}

/** A role as its pack says it is. */
export interface RoleFacts extends PackRole {
  /** The role's own vector [role_embedding]; empty where it has none, as a blend has none. */
  readonly vector: Float32Array
}

/** What a pack says of itself, checked. */
export interface PackFacts {
  readonly backbone: { readonly name: string; readonly fingerprint: string }
  /** In the order of the pack. */
  readonly roles: readonly RoleFacts[]
  /** Licence, data, steps, parents, as whoever wrote the file put it. */
  readonly provenance: JsonRecord
  readonly bytes: number
  /** Of the whole file, lower-case hexadecimal. */
  readonly sha256: string
}

/** The roles of a pack with their vectors. */
export function roleFacts(pack: Pack): readonly RoleFacts[] {
  const width = pack.config.roleEmbedding ?? 0
  const hasVectors = width > 0 && pack.tensors.has('roles_emb.weight')
  const vectors = hasVectors ? pack.tensor('roles_emb.weight') : new Float32Array(0)
  return pack.roles.map((role, index) => ({
    ...role,
    vector: vectors.slice(index * width, (index + 1) * width),
  }))
}

/** The line that a role was trained behind; null for no system turn at all, and where there is no such role. */
export function roleLineOf(pack: Pick<PackContent, 'roles'>, name: string): string | null {
  return pack.roles.find((role) => role.name === name)?.system ?? null
}

/** The tensors that A or B ends with, whatever its source; where all of them are zero, so is every product of the two. */
const SIDES = [
  ['B', /^(?:layers\.\d+\.\w+\.lora_B(?:_table)?|\w+_up_linear\.up\.(?:weight|bias))$/],
  ['A', /^(?:layers\.\d+\.\w+\.lora_A(?:0|_table)?|\w+_down_linear\.up\.(?:weight|bias))$/],
] as const

function isZero(tensor: SafetensorsTensor): boolean {
  const magnitude = tensor.dtype === 'F32' ? 0x7fffffff : 0x7fff
  return tensorBits(tensor).every((bits) => (bits & magnitude) === 0)
}

/** Says that no role can change anything the model says, because nothing was learnt; null where one can. */
export function silenceOf({ tensors }: Pick<PackContent, 'tensors'>): string | null {
  const side = SIDES.find(([, names]) =>
    [...tensors].every(([name, tensor]) => !names.test(name) || isZero(tensor)),
  )
  return side === undefined
    ? null
    : `Every ${side[0]} is zero, as before the first step of training: nothing was learnt, and the model says what it says without it.`
}

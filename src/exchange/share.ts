import { asHycoraError, check } from '../core/errors.ts'
import type { JsonRecord } from '../core/json.ts'
import { writeCardJson } from '../formats/cardFile.ts'
import { writeCardPng } from '../formats/cardPng.ts'
import type { CardPicture } from '../formats/cardSpec.ts'
import { normaliseCard } from '../formats/cardSpec.ts'
import { writeCharx } from '../formats/charx.ts'
import { writeGguf } from '../formats/gguf.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack, writePack } from '../formats/pack.ts'
import type { Pack, PackContent } from '../formats/pack.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import type { PackFile } from '../formats/packFacts.ts'
import {
  addBlend,
  changeRole,
  convertPack,
  extractRole,
  packLicence,
  packStem,
  roleVector,
} from '../formats/packParts.ts'
import type { BlendPart } from '../formats/packRoles.ts'
import { writePeft } from '../formats/peft.ts'
import { writeRoleLink } from '../formats/roleLink.ts'
import { writeZip } from '../formats/zip.ts'
import { loraRole } from '../model/adapter/loraRole.ts'
import { LIMITS } from './limits.ts'
import { repositoryOf, shippedBackbone } from './shippedBackbones.ts'

export type ShareForm = 'role' | 'pack' | 'charx' | 'png' | 'json' | 'link' | 'peft' | 'gguf'

export interface ShareParams {
  /** Null for somebody who plays by a text alone. */
  readonly pack: PackFile | null
  /** A role of the pack. */
  readonly role: string | null
  /** What whoever is shared is called. */
  readonly name: string
  /** The cards of the pack's roles that have none in it, by role, as far as the page knows them. */
  readonly cards: ReadonlyMap<string, JsonRecord>
  /** The cards of the pack's roles that were changed, by role, in place of its own; left out where none was. */
  readonly changedCards?: ReadonlyMap<string, JsonRecord>
  /** The card of whoever is shared. */
  readonly card: JsonRecord | null
  /** The object that the card came in, and the files that came with it. */
  readonly original: JsonRecord | null
  readonly assets: ReadonlyMap<string, Blob>
  /** A picture of a kind that a card carries; a PNG from the page. */
  readonly portrait: Blob | null
  /** The pack that comes with the model, which everybody has. */
  readonly home: PackFile | null
  /** The size of one attention head of the backbone; null where it is not known. */
  readonly headDim: number | null
  /** Whether a pack is written in halves; left out, its numbers stay as they are. */
  readonly isHalf?: boolean
}

/** One form that somebody can be handed on in, or why not. */
export type SharedForm =
  | {
      readonly form: ShareForm
      readonly name: string
      readonly file: Blob
      /** Of a link: what it takes to follow it. */
      readonly takes: 'model' | 'pack'
    }
  | { readonly form: ShareForm; readonly reason: string }

export interface BlendParams {
  readonly pack: PackFile
  readonly name: string
  readonly system: string | null
  readonly card: JsonRecord | null
  readonly parts: readonly BlendPart[]
}

const PACK_MIME = 'application/octet-stream'

/** What a form is made of: its name's ending, its kind, its bytes. */
interface Written {
  readonly ending: string
  readonly mime: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly takes?: 'model' | 'pack'
}

/** Whoever is shared, read once for all forms. */
export interface Subject extends ShareParams {
  readonly content: Pack | null
  /** The pack with the cards that the page knows. */
  readonly carded: PackContent | null
}

const ORDER: readonly ShareForm[] = ['role', 'pack', 'charx', 'png', 'json', 'link', 'peft', 'gguf']

/**
 * Every form that somebody can be handed on in, one after the other, or why there is none.
 *
 * @throws HycoraError what reading the pack throws.
 */
export async function* writeShares(params: ShareParams): AsyncGenerator<SharedForm> {
  const subject = subjectOf(params, params.pack && (await openPack(params.pack)))
  const offered = ORDER.filter((form) => isOffered(form, subject))
  for (const form of offered) {
    try {
      const { ending, mime, bytes, takes = 'model' } = await writeForm(form, subject)
      const title = form === 'pack' ? (params.pack?.name ?? params.name) : params.name
      yield { form, name: `${title}${ending}`, file: new Blob([bytes], { type: mime }), takes }
    } catch (error) {
      yield { form, reason: asHycoraError(error, 'format-unsupported').message }
    }
  }
}

/** Whoever is shared, their pack read already. */
export function subjectOf(params: ShareParams, content: Pack | null): Subject {
  const { cards, changedCards = new Map() } = params
  return { ...params, content, carded: content && withCards(content, cards, changedCards) }
}

/** Who plays by a text has no weights to share; a picture needs one; a pack of one is the role's. */
function isOffered(form: ShareForm, { content, role, portrait }: Subject): boolean {
  switch (form) {
    case 'pack':
      return content !== null && (content.roles.length > 1 || role === null)
    case 'role':
    case 'link':
    case 'peft':
    case 'gguf':
      return content !== null && role !== null
    case 'png':
      return portrait !== null && (role !== null || content === null)
    case 'charx':
    case 'json':
      return role !== null || content === null
  }
}

async function openPack({ name, file }: PackFile): Promise<Pack> {
  return readPack(memorySource(name, new Uint8Array(await file.arrayBuffer())))
}

function withCards(
  pack: Pack,
  cards: ReadonlyMap<string, JsonRecord>,
  changed: ReadonlyMap<string, JsonRecord>,
): PackContent {
  return pack.roles.reduce<PackContent>((content, { name, card }) => {
    const better = changed.get(name) ?? (card === null ? cards.get(name) : undefined)
    return better ? changeRole(content, name, { card: better }) : content
  }, pack)
}

function packed(bytes: Uint8Array<ArrayBuffer>): Written {
  return { ending: '.hycora.safetensors', mime: PACK_MIME, bytes }
}

/** One form of whoever is shared. @throws HycoraError `usage` where they lack what it takes; as its writer. */
export async function writeForm(form: ShareForm, subject: Subject): Promise<Written> {
  const { carded, original, name } = subject
  switch (form) {
    case 'pack':
      check(carded, 'usage', () => `${name} has no weights`)
      return packed(await writePack(carded))
    case 'role':
      return packed(await rolePack(subject))
    case 'json':
      return {
        ending: '.json',
        mime: 'application/json',
        bytes: writeCardJson(cardOf(subject), original ?? undefined),
      }
    case 'png': {
      const picture = (await pictureOf(subject))?.bytes ?? new Uint8Array(0)
      return {
        ending: '.png',
        mime: 'image/png',
        bytes: writeCardPng(
          cardOf(subject),
          picture,
          original ?? undefined,
          await filesOf(subject, LIMITS.besidePictureBytes),
        ),
      }
    }
    case 'charx':
      return { ending: '.charx', mime: 'application/zip', bytes: await writeOwnCharx(subject) }
    case 'link':
      return writeLink(subject)
    case 'peft': {
      const { content, role } = trained(subject)
      const zipped = [...peftFiles(content, role, { name })].map(([path, bytes]) => ({
        path,
        bytes,
        store: path.endsWith('.safetensors'),
      }))
      return { ending: ' (PEFT).zip', mime: 'application/zip', bytes: writeZip(zipped) }
    }
    case 'gguf': {
      const { content, role } = trained(subject)
      return { ending: '.gguf', mime: PACK_MIME, bytes: ggufFile(content, role, { ...subject }) }
    }
  }
}

/** Whoever is shared, where weights play them. @throws HycoraError `usage` where none do. */
function trained<S extends Pick<Subject, 'content' | 'role' | 'name'>>(
  subject: S,
): S & { readonly content: Pack; readonly role: string } {
  const { content, role, name } = subject
  check(content && role !== null, 'usage', () => `${name} has no weights`)
  return { ...subject, content, role }
}

/** The role alone, with the card that is known of it, as a pack. */
function rolePack(subject: Subject): Promise<Uint8Array<ArrayBuffer>> {
  const { content, role, carded, card, isHalf = false } = trained(subject)
  const pack = carded ?? content
  const known = pack.roles.find(({ name }) => name === role)?.card ?? null
  const isKnown = card === null || JSON.stringify(card) === JSON.stringify(known)
  const whole = isKnown ? pack : changeRole(pack, role, { card })
  const one = extractRole({ ...whole, sha256: content.sha256 }, role)
  return writePack(isHalf ? convertPack(one, 'F16') : one)
}

/** The `data` of V3 for whoever is shared: their card, else one of their name and of the line that they play behind. */
function cardOf({ card, name, content, role }: Subject): JsonRecord {
  const line = content && role !== null ? roleLineOf(content, role) : null
  const whole = card ? { name, ...card } : { name, system_prompt: line ?? '' }
  return normaliseCard(whole, `the card of ${name}`).card
}

/** The files that came with a card; none where they are larger together than `most`. */
async function filesOf(
  { assets }: Subject,
  most = Infinity,
): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const total = [...assets.values()].reduce((sum, { size }) => sum + size, 0)
  if (total > most) return new Map()
  const files = [...assets].map(
    async ([path, file]) => [path, new Uint8Array(await file.arrayBuffer())] as const,
  )
  return new Map(await Promise.all(files))
}

async function pictureOf({ portrait }: Subject): Promise<CardPicture | null> {
  return (
    portrait && { bytes: new Uint8Array(await portrait.arrayBuffer()), mime: portrait.type || 'image/png' }
  )
}

async function writeOwnCharx(subject: Subject): Promise<Uint8Array<ArrayBuffer>> {
  const { content, original } = subject
  const picture = await pictureOf(subject)
  return writeCharx({
    card: cardOf(subject),
    ...(original && { original }),
    ...(picture && { portrait: picture }),
    ...(content && { adapter: await rolePack(subject) }),
    assets: await filesOf(subject),
  })
}

async function writeLink(subject: Subject): Promise<Written> {
  const { content, role } = trained(subject)
  const stem = await packStem(content)
  const link = writeRoleLink({
    name: role,
    vector: roleVector(content, role),
    system: roleLineOf(content, role),
    stem,
    backbone: content.backbone.fingerprint,
  })
  const isCommon = subject.home !== null && (await packStem(await openPack(subject.home))) === stem
  return {
    ending: '.txt',
    mime: 'text/plain',
    bytes: new TextEncoder().encode(link),
    takes: isCommon ? 'model' : 'pack',
  }
}

/** How a role is written for programs that know no roles. */
interface PlainOptions {
  /** What the role is called there. */
  readonly name: string
  /** 1 is the trained strength. */
  readonly strength?: number
}

/** A role as the files of a PEFT folder; the backbone is named by its fingerprint, unless a name is given. */
export function peftFiles(
  pack: Pack,
  role: string,
  {
    name,
    strength = 1,
    baseModel = repositoryOf(pack.backbone),
  }: PlainOptions & { readonly baseModel?: string },
): ReadonlyMap<string, Uint8Array<ArrayBuffer>> {
  const { backbone } = pack
  const lora = loraRole(pack, role, { strength, name })
  const [licence, system] = [packLicence(pack), roleLineOf(pack, role)]
  return writePeft(lora, { baseModel, architecture: backbone.architecture, licence, system, backbone })
}

/** A role as a GGUF adapter; of a shipped backbone the size of a head is known. @throws HycoraError as `writeGguf`. */
export function ggufFile(
  pack: Pack,
  role: string,
  { name, strength = 1, headDim }: PlainOptions & { readonly headDim: number | null },
): Uint8Array<ArrayBuffer> {
  const { backbone } = pack
  return writeGguf(loraRole(pack, role, { strength, name }), {
    ...backbone,
    repository: repositoryOf(backbone),
    headDim: shippedBackbone(backbone.fingerprint)?.headDim ?? headDim,
  })
}

/** A pack of a blend and the roles that it mixes. @throws HycoraError as `addBlend`. */
export async function writeBlend({ pack, name, system, card, parts }: BlendParams): Promise<Blob> {
  const content = await openPack(pack)
  const blended = { ...addBlend(content, { name, system, card }, parts), sha256: content.sha256 }
  return new Blob([await writePack(extractRole(blended, name))], { type: PACK_MIME })
}

import type { PackFile } from '../formats/packFacts.ts'
import { asHycoraError, check } from '../core/errors.ts'
import { writeCardJson, writeCardPng } from '../formats/cardFile.ts'
import { normaliseCard } from '../formats/cardSpec.ts'
import { writeCharx } from '../formats/charx.ts'
import { writeGguf } from '../formats/gguf.ts'
import type { JsonRecord } from '../core/json.ts'
import type { LoraRole } from '../formats/loraRole.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack, writePack } from '../formats/pack.ts'
import type { Pack, PackContent } from '../formats/pack.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import { addBlend, changeRole, extractRole, packLicence, packStem, roleVector } from '../formats/packParts.ts'
import { writePeft } from '../formats/peft.ts'
import { writeRoleLink } from '../formats/roleLink.ts'
import { writeZip } from '../formats/zip.ts'
import { openAdapterMatrices } from '../model/cpuAdapter.ts'
import { castRole } from '../model/roles.ts'
import type { BlendParams, ShareForm, SharedForm, ShareParams } from './fileProtocol.ts'

const PACK_MIME = 'application/octet-stream'

/** What a form is made of: its name's ending, its kind, its bytes. */
interface Written {
  readonly ending: string
  readonly mime: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly takes?: 'model' | 'pack'
}

/** Whoever is shared, read once for all forms. */
interface Subject extends ShareParams {
  readonly content: Pack | null
  /** The pack with the cards that the page knows. */
  readonly carded: PackContent | null
  /** The `data` of V3, every required field there. */
  readonly fullCard: JsonRecord
}

const ORDER: readonly ShareForm[] = ['role', 'pack', 'charx', 'png', 'json', 'link', 'peft', 'gguf']

/**
 * Every form that somebody can be handed on in, one after the other, or why there is none.
 *
 * @throws HycoraError what reading the pack throws.
 */
export async function* writeShares(params: ShareParams): AsyncGenerator<SharedForm> {
  const content = params.pack && (await openPack(params.pack))
  const subject: Subject = {
    ...params,
    content,
    carded: content && withCards(content, params.cards),
    fullCard: normaliseCard({ ...params.card, name: params.name }, params.name).card,
  }
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

function withCards(pack: Pack, cards: ReadonlyMap<string, JsonRecord>): PackContent {
  const known = pack.roles.filter(({ name, card }) => card === null && cards.has(name))
  return known.reduce<PackContent>(
    (content, { name }) => changeRole(content, name, { card: cards.get(name) ?? null }),
    pack,
  )
}

function packed(bytes: Uint8Array<ArrayBuffer>): Written {
  return { ending: '.hycora.safetensors', mime: PACK_MIME, bytes }
}

async function writeForm(form: ShareForm, subject: Subject): Promise<Written> {
  const { content, carded, role, fullCard, original, assets, portrait, name } = subject
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
        bytes: writeCardJson(fullCard, original ?? undefined),
      }
    case 'png': {
      const picture = new Uint8Array((await portrait?.arrayBuffer()) ?? new ArrayBuffer(0))
      return {
        ending: '.png',
        mime: 'image/png',
        bytes: writeCardPng(fullCard, picture, original ?? undefined),
      }
    }
    case 'charx': {
      const others = await Promise.all(
        [...assets].map(async ([path, file]) => [path, new Uint8Array(await file.arrayBuffer())] as const),
      )
      const bytes = writeCharx({
        card: fullCard,
        ...(original && { original }),
        ...(portrait && {
          portrait: { bytes: new Uint8Array(await portrait.arrayBuffer()), mime: 'image/png' },
        }),
        ...(content && { adapter: await rolePack(subject) }),
        assets: new Map(others),
      })
      return { ending: '.charx', mime: 'application/zip', bytes }
    }
    case 'link': {
      check(content && role !== null, 'usage', () => `${name} has no weights`)
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
    case 'peft': {
      const { lora, pack } = loraOf(subject)
      const system = roleLineOf(pack, lora.name)
      const { name: baseModel, architecture } = pack.backbone
      const files = writePeft(lora, { baseModel, architecture, licence: packLicence(pack), system })
      const zipped = [...files].map(([path, bytes]) => ({
        path,
        bytes,
        store: path.endsWith('.safetensors'),
      }))
      return { ending: ' (PEFT).zip', mime: 'application/zip', bytes: writeZip(zipped) }
    }
    case 'gguf': {
      const { lora, pack } = loraOf(subject)
      const bytes = writeGguf(lora, { ...pack.backbone, headDim: subject.headDim })
      return { ending: '.gguf', mime: PACK_MIME, bytes }
    }
  }
}

/** The role alone, with its card, as a pack. */
function rolePack(subject: Subject): Promise<Uint8Array<ArrayBuffer>> {
  const { content, carded, role, fullCard, card, name } = subject
  check(content && carded && role !== null, 'usage', () => `${name} has no weights`)
  const withCard = card ? changeRole(carded, role, { card: fullCard }) : carded
  return writePack(extractRole({ ...withCard, sha256: content.sha256 }, role))
}

function loraOf({ content, role, name }: Subject): { readonly lora: LoraRole; readonly pack: Pack } {
  check(content && role !== null, 'usage', () => `${name} has no weights`)
  const matrices = openAdapterMatrices(content)
  const casting = castRole(content, role, 1)
  return {
    pack: content,
    lora: {
      name,
      config: content.config,
      strength: 1,
      a: (layer, projection) => matrices.plainA(casting, layer, projection),
      b: (layer, projection) => matrices.b(casting, layer, projection),
    },
  }
}

/** A pack of a blend and the roles that it mixes. @throws HycoraError as `addBlend`. */
export async function writeBlend({ pack, name, system, card, parts }: BlendParams): Promise<Blob> {
  const content = await openPack(pack)
  const blended = { ...addBlend(content, { name, system, card }, parts), sha256: content.sha256 }
  return new Blob([await writePack(extractRole(blended, name))], { type: PACK_MIME })
}

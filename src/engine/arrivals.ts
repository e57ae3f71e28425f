import type { PackFile } from '../formats/packFacts.ts'
import { hexSha256, plainBytes } from '../core/bytes.ts'
import { asHycoraError, check } from '../core/errors.ts'
import { readBackup } from '../formats/backup.ts'
import { readCard } from '../formats/card.ts'
import { readCardFile } from '../formats/cardFile.ts'
import type { CardFile } from '../formats/cardFile.ts'
import { isGguf } from '../formats/gguf.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack, writePack } from '../formats/pack.ts'
import type { Pack, PackBackbone } from '../formats/pack.ts'
import { roleFacts } from '../formats/packFacts.ts'
import { addRole, changeRole, extractRole, packLicence, packStem } from '../formats/packParts.ts'
import { peftPack, readPeft } from '../formats/peft.ts'
import { isPng } from '../formats/png.ts'
import { matchRoleLink, readRoleLink } from '../formats/roleLink.ts'
import { isZip, readZip } from '../formats/zip.ts'
import type {
  Arrival,
  ArrivingFile,
  CardArrival,
  FileRequests,
  LinkMissing,
  PackArrival,
  Refusal,
} from './fileProtocol.ts'
import { plainPicture } from './pictures.ts'

type Backbone = FileRequests['arrive']['params']['backbone']

/** One thing that came in: a file, or the files of a folder that belong together. */
interface Parcel {
  readonly name: string
  readonly files: ReadonlyMap<string, Blob>
}

const MAX_FILE_BYTES = 512 * 2 ** 20
const ADAPTER_CONFIG = 'adapter_config.json'
const ZIP_LIMITS = { files: 2048, inflatedBytes: 512 * 2 ** 20, totalBytes: 512 * 2 ** 20 }
/** Beyond this a value is finite, but wild. */
const WILD = 1e4

/** Reads what came in; each file, or folder of files that belong together, is taken or refused by itself. */
export async function readArrivals(
  files: readonly ArrivingFile[],
  backbone: Backbone,
): Promise<FileRequests['arrive']['returns']> {
  const arrivals: Arrival[] = []
  const refusals: Refusal[] = []
  for (const parcel of parcelsOf(files)) {
    try {
      arrivals.push(await readParcel(parcel, backbone))
    } catch (error) {
      const { code, message } = asHycoraError(error, 'format-invalid')
      refusals.push({ fileName: parcel.name, code, message })
    }
  }
  return { arrivals, refusals }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}

/** A file's name without the marks that turn the text around it. */
function plainName(name: string): string {
  return name.replaceAll(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').slice(0, 200)
}

/** A folder with an adapter_config.json is one parcel; every other file is one by itself. */
function parcelsOf(files: readonly ArrivingFile[]): readonly Parcel[] {
  const folders = files.filter(({ path }) => path.endsWith(ADAPTER_CONFIG)).map(({ path }) => folderOf(path))
  const adapters = folders.map((folder): Parcel => {
    const own = files.filter(({ path }) => folderOf(path) === folder)
    const name = plainName(folder.split('/').at(-2) ?? ADAPTER_CONFIG)
    return { name, files: new Map(own.map(({ path, file }) => [path.slice(folder.length), file])) }
  })
  const alone = files
    .filter(({ path }) => !folders.includes(folderOf(path)))
    .map(({ path, file }): Parcel => {
      const name = plainName(path.split('/').at(-1) ?? path)
      return { name, files: new Map([[name, file]]) }
    })
  return [...adapters, ...alone]
}

async function readParcel({ name, files }: Parcel, backbone: Backbone): Promise<Arrival> {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>()
  for (const [path, file] of files) {
    check(
      file.size <= MAX_FILE_BYTES,
      'format-invalid',
      () => `${path} has ${file.size} bytes, at most ${MAX_FILE_BYTES} are read`,
    )
    contents.set(path, new Uint8Array(await file.arrayBuffer()))
  }
  if (contents.has(ADAPTER_CONFIG)) return readPeftFolder(name, contents, backbone)
  const [bytes = new Uint8Array(0)] = contents.values()
  const [file = new Blob()] = files.values()
  return readFile(name, bytes, file, backbone)
}

async function readFile(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  file: Blob,
  backbone: Backbone,
): Promise<Arrival> {
  check(bytes.length > 0, 'format-invalid', () => `${name} is empty`)
  const facts = { fileName: name, bytes: bytes.length, sha256: await hexSha256(bytes), warnings: [] }
  if (isPng(bytes)) return cardArrival(readCardFile(bytes, name), facts)
  check(!isGguf(bytes), 'format-unsupported', () => {
    return `${name} is a GGUF file, which can be written here, but not read: take the pack or the PEFT folder`
  })
  if (isSafetensors(bytes)) return packArrival(await readPack(memorySource(name, bytes)), 'pack', file, facts)
  if (isZip(bytes)) return readArchive(name, bytes, backbone, facts)
  const kind = textKind(bytes)
  check(kind, 'format-unsupported', () => {
    return `${name} is neither a pack nor a card, a chat, lines or a PEFT folder`
  })
  if (kind === 'card') return cardArrival(readCardFile(bytes, name), facts)
  return { ...facts, kind, file }
}

/** Whether a file begins as safetensors do: the length of a header in eight bytes, then an object. */
function isSafetensors(bytes: Uint8Array): boolean {
  // No header is so long that its length takes more than four of them.
  return bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0)
}

async function readArchive(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  backbone: Backbone,
  facts: Facts,
): Promise<Arrival> {
  const files = readZip(bytes, name, ZIP_LIMITS)
  if (files.has('manifest.json') && !files.has('card.json')) {
    const { createdAt, software, parts } = await readBackup(bytes, name)
    const kept = parts.map(({ kind, name: part, bytes: content, details = null }) => ({
      kind,
      name: part,
      file: new Blob([plainBytes(content)]),
      details,
    }))
    return { ...facts, kind: 'backup', createdAt, software, parts: kept }
  }
  const config = [...files.keys()].find(
    (path) => path === ADAPTER_CONFIG || path.endsWith(`/${ADAPTER_CONFIG}`),
  )
  if (config !== undefined) {
    const folder = config.slice(0, -ADAPTER_CONFIG.length)
    const own = [...files].filter(([path]) => path.startsWith(folder))
    const inside = new Map(own.map(([path, content]) => [path.slice(folder.length), plainBytes(content)]))
    const found = await readPeftFolder(name.replace(/\.zip$/i, ''), inside, backbone)
    return { ...found, ...facts, warnings: found.warnings }
  }
  const card = readCardFile(bytes, name)
  if (!card.adapter) return cardArrival(card, facts)
  return readTrainedCard(name, card, card.adapter, facts)
}

/** What a text is for; null for what is none. */
function textKind(bytes: Uint8Array): 'card' | 'chat' | 'lines' | null {
  if (bytes.subarray(0, 4096).includes(0)) return null
  const text = new TextDecoder().decode(bytes)
  const whole = parsed(text)
  if (isJsonRecord(whole)) return isCardJson(whole) ? 'card' : 'lines'
  const first = parsed(text.slice(0, text.search(/\r?\n|$/)))
  if (!isJsonRecord(first)) return 'lines'
  const isChat = ['chat_metadata', 'user_name', 'character_name', 'mes'].some((key) =>
    Object.hasOwn(first, key),
  )
  return isChat ? 'chat' : 'lines'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isCardJson(value: Readonly<Record<string, unknown>>): boolean {
  const spec = ownField(value, 'spec')
  const data = ownField(value, 'data')
  const fields = isJsonRecord(data) ? data : value
  const texts = ['description', 'personality', 'first_mes', 'mes_example', 'scenario']
  const isNamed = typeof ownField(fields, 'name') === 'string'
  return (
    (typeof spec === 'string' && spec.startsWith('chara_card')) ||
    (isNamed && texts.some((key) => Object.hasOwn(fields, key)))
  )
}

type Facts = Pick<CardArrival, 'fileName' | 'bytes' | 'sha256' | 'warnings'>

async function cardArrival(found: CardFile, facts: Facts): Promise<CardArrival> {
  const { card, original, spec, portrait, assets, warnings } = found
  const picture = portrait && (await plainPicture(plainBytes(portrait.bytes), portrait.mime))
  return {
    ...facts,
    kind: 'card',
    spec,
    card: readCard(card),
    data: card,
    original,
    assets: new Map([...assets].map(([path, content]) => [path, new Blob([plainBytes(content)])])),
    portrait: picture ?? null,
    warnings,
  }
}

/** A CHARX that carries its adapter: the role of the card's name, or the only one, gets the card and the picture. */
async function readTrainedCard(
  name: string,
  { card, portrait, warnings }: CardFile,
  adapter: Uint8Array,
  facts: Facts,
): Promise<PackArrival> {
  const bytes = plainBytes(adapter)
  const pack = await readPack(memorySource(`${name}: the adapter`, bytes))
  const role = pack.roles.find((one) => one.name === ownField(card, 'name')) ?? pack.roles.at(-1)
  const isSame = JSON.stringify(role?.card) === JSON.stringify(card)
  const file = role && !isSame ? await writePack(changeRole(pack, role.name, { card })) : bytes
  const known = isSame ? pack : await readPack(memorySource(`${name}: the adapter`, file))
  const picture = portrait && (await plainPicture(plainBytes(portrait.bytes), portrait.mime))
  const portraits = new Map(role && picture ? [[role.name, picture] as const] : [])
  return {
    ...packArrival(known, 'charx', new Blob([file]), { ...facts, warnings }),
    portraits,
  }
}

async function readPeftFolder(
  name: string,
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  backbone: Backbone,
): Promise<PackArrival> {
  const found = await readPeft(files, backbone?.layers)
  const roleName =
    name
      .replaceAll(/\p{Cc}/gu, ' ')
      .trim()
      .slice(0, 80) || 'Adapter'
  const target: PackBackbone | null = backbone && {
    name: backbone.name,
    architecture: backbone.architecture,
    fingerprint: backbone.fingerprint,
  }
  const file = await writePack(peftPack(found, { roleName, system: null, backbone: target }))
  const pack = await readPack(memorySource(name, file))
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0)
  const sha256 = await hexSha256(files.get('adapter_model.safetensors') ?? new Uint8Array(0))
  const base = found.baseModel === '' ? 'no model' : found.baseModel
  const warnings = [
    ...found.warnings,
    `The folder names ${base} as its backbone; only the sizes can be compared.`,
  ]
  return packArrival(pack, 'peft', new Blob([file]), { fileName: name, bytes, sha256, warnings })
}

function packArrival(pack: Pack, form: PackArrival['form'], file: Blob, facts: Facts): PackArrival {
  const isWild = pack.largestMagnitude > WILD
  const wild = `It holds values up to ${pack.largestMagnitude.toExponential(0)}: whoever made it may have made a mistake.`
  return {
    ...facts,
    kind: 'pack',
    form,
    file,
    backbone: pack.backbone,
    rank: pack.config.rank,
    layers: pack.config.layers,
    roles: roleFacts(pack),
    portraits: new Map(),
    provenance: pack.provenance,
    licence: packLicence(pack),
    warnings: isWild ? [...facts.warnings, wild] : facts.warnings,
  }
}

/**
 * Opens a link to a role: a pack of the role alone, made with what one of `packs` shares, or what is missing for it.
 *
 * @throws HycoraError `format-invalid`, `format-unsupported` when the text holds no role.
 */
export async function followLink(
  text: string,
  packs: readonly PackFile[],
): Promise<PackArrival | LinkMissing> {
  const link = readRoleLink(text)
  const targets: { readonly pack: Pack; readonly stem: string; readonly fingerprint: string }[] = []
  for (const { name, file } of packs) {
    const pack = await readPack(memorySource(name, new Uint8Array(await file.arrayBuffer())))
    targets.push({ pack, stem: await packStem(pack), fingerprint: pack.backbone.fingerprint })
  }
  const match = matchRoleLink(link, targets)
  const target = match.missing === null ? targets[match.index] : undefined
  if (match.missing !== null || !target) {
    return { kind: 'missing', name: link.name, missing: match.missing ?? 'pack', backbone: link.backbone }
  }
  const role = { name: link.name, system: link.system, card: null }
  // Only what all roles share is taken of the pack: any of its roles carries that along, under a name that is free.
  const donor = target.pack.roles[0]?.name ?? ''
  const free = link.name === 'donor' ? 'another' : 'donor'
  const stem = changeRole(extractRole(target.pack, donor), donor, { name: free })
  const joined = addRole(stem, role, link.vector)
  const bytes = await writePack(extractRole(joined, link.name))
  const pack = await readPack(memorySource(link.name, bytes))
  const facts = {
    fileName: `a link to ${link.name}`,
    bytes: text.length,
    sha256: await hexSha256(new TextEncoder().encode(text)),
    warnings: [],
  }
  return packArrival(pack, 'link', new Blob([bytes]), facts)
}

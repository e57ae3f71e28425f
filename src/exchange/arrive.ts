import { hexSha256, joinBytes, plainBytes } from '../core/bytes.ts'
import { check, failureOf, HycoraError } from '../core/errors.ts'
import { expectFew } from '../core/fewFiles.ts'
import { ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { readAuthorsCheckpoint } from '../formats/authorsCheckpoint.ts'
import type { CheckpointFacts } from '../formats/authorsCheckpoint.ts'
import type { Backup } from '../formats/backup.ts'
import { readCard } from '../formats/card.ts'
import type { CardFile } from '../formats/cardRecord.ts'
import type { CardPicture } from '../formats/cardSpec.ts'
import { withoutEmbedded } from '../formats/charx.ts'
import type { LoreFile } from '../formats/lore/loreFile.ts'
import { entriesOf, readLorebook } from '../formats/lore/readLorebook.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack, writePack } from '../formats/pack.ts'
import type { Pack, PackBackbone } from '../formats/pack.ts'
import { roleFacts, silenceOf } from '../formats/packFacts.ts'
import { changeRole, packLicence } from '../formats/packParts.ts'
import { peftPack, readPeft } from '../formats/peft.ts'
import type { PeftRole } from '../formats/peft.ts'
import type {
  Arrival,
  Arrivals,
  ArrivingBackbone,
  ArrivingFile,
  BackupArrival,
  CardArrival,
  ChatArrival,
  LoreArrival,
  PackArrival,
  Refusal,
} from './arrival.ts'
import type { ImportedChat } from '../storage/sillyTavern.ts'
import { expectReadable } from './limits.ts'
import { chatsBeside, openFile, refuse } from './openFile.ts'
import type { Opened } from './openFile.ts'
import { parcelsOf } from './parcels.ts'
import type { Parcel } from './parcels.ts'
import { shippedBackbone } from './shippedBackbones.ts'

/** What the files do not say themselves. */
export interface ArrivalOptions {
  /** What is loaded, for adapters that do not say what they are for; null where nothing is. */
  readonly backbone: ArrivingBackbone | null
  /** Makes a stranger's picture one of pixels alone, null for what is none; left out, pictures are not needed. */
  readonly plainPicture?: (picture: CardPicture) => Promise<Blob | null>
  /** Name and line of the role that a PEFT folder becomes; its name is the folder's where it is left out. */
  readonly role?: { readonly name?: string; readonly system?: string }
  /** How weights that are no pack are read as a checkpoint of the authors' trainer; left out, they are refused. */
  readonly checkpoint?: Omit<CheckpointFacts, 'backbone'>
}

type Facts = Pick<CardArrival, 'fileName' | 'bytes' | 'sha256' | 'warnings'>

/** Beyond this a value is finite, but wild. */
const WILD = 1e4

/**
 * Reads what came in; each file, or folder of files that belong together, is taken or refused by itself.
 *
 * @throws HycoraError `format-invalid` for more files than come in at once.
 */
export async function arrive(files: readonly ArrivingFile[], options: ArrivalOptions): Promise<Arrivals> {
  const arrivals: Arrival[] = []
  const refusals: Refusal[] = []
  expectFew(files)
  const parcels = await parcelsOf(files)
  if (parcels.length === 0 && files[0]) refusals.push(leftBehind(files[0]))
  for (const parcel of parcels) {
    try {
      arrivals.push(...(await open(parcel, options)))
    } catch (error) {
      refusals.push({ fileName: parcel.name, ...failureOf(error, 'format-invalid') })
    }
  }
  return { arrivals, refusals }
}

/** Told where nothing else came in. */
function leftBehind({ path }: ArrivingFile): Refusal {
  const fileName = path.split('/').at(-1) ?? path
  const message = `${fileName} is what a system keeps beside people's files, and holds nothing of its own`
  return { fileName, code: 'format-unsupported', message }
}

/** What a parcel holds: one thing, or a character and what was said with them. */
async function open({ name, files, isFolder }: Parcel, options: ArrivalOptions): Promise<readonly Arrival[]> {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>()
  for (const [path, file] of files) {
    expectReadable(path, file.size)
    contents.set(path, new Uint8Array(await file.arrayBuffer()))
  }
  if (isFolder) return [await peftArrival(name, contents, options)]
  const [bytes = new Uint8Array(0)] = contents.values()
  const [file = new Blob()] = files.values()
  const opened = await openFile(bytes, name)
  const facts = { fileName: name, bytes: bytes.length, sha256: await hexSha256(bytes), warnings: [] }
  const found = await arrivalOf(opened, { bytes, file, facts }, options)
  const said = opened.kind === 'card' && opened.card.chats ? besideCard(opened.card.chats, facts) : null
  return said ? [found, said] : [found]
}

/** The file that something was opened from. */
interface Content {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly file: Blob
  readonly facts: Facts
}

async function arrivalOf(
  opened: Opened,
  { bytes, file, facts }: Content,
  options: ArrivalOptions,
): Promise<Arrival> {
  const name = facts.fileName
  switch (opened.kind) {
    case 'pack':
      return packArrival(opened.pack, 'pack', file, facts)
    case 'card':
      return cardArrival(opened.card, facts, options)
    case 'peft': {
      const found = await peftArrival(name.replace(/\.zip$/i, ''), opened.files, options)
      const warnings = [...sentences(opened.warning), ...found.warnings]
      return { ...found, ...facts, warnings }
    }
    case 'backup':
      return backupArrival(opened.backup, facts)
    case 'chat':
      return chatArrival(opened.chats, file, { ...facts, warnings: sentences(opened.warning) })
    case 'lines':
      return {
        ...facts,
        kind: 'lines',
        file,
        dialogues: opened.dialogues,
        warnings: sentences(opened.warning),
      }
    case 'lore':
      return loreArrival(opened.lore, opened.text, { ...facts, warnings: sentences(opened.warning) })
    case 'group':
      return { ...facts, kind: 'group', group: opened.group, text: opened.text }
    case 'other':
      throw new HycoraError('format-unsupported', `${name} is ${opened.what}`)
    case 'safetensors':
      return options.checkpoint && opened.isCheckpoint
        ? checkpointArrival(bytes, { ...options.checkpoint, backbone: bound(options) }, facts)
        : refuse(opened.kind, name, { what: opened.what })
    case 'gguf':
      return refuse(opened.kind, name, { what: opened.what })
    case 'unknown':
      return refuse(opened.kind, name, { bytes })
  }
}

/** What a pack without a backbone of its own is bound to. */
function bound({ backbone }: ArrivalOptions): PackBackbone | null {
  if (!backbone) return null
  const { name, architecture, fingerprint } = backbone
  return { name, architecture, fingerprint }
}

function sentences(warning: string | null): readonly string[] {
  return warning === null ? [] : [`${warning}.`]
}

/** What was said with a character, and came with it; null where nobody said anything. */
function besideCard(chats: JsonRecord, facts: Facts): ChatArrival | null {
  const text = JSON.stringify(chats)
  const said = chatsBeside(text, facts.fileName)
  return said.length === 0 ? null : chatArrival(said, new Blob([text], { type: 'application/json' }), facts)
}

function chatArrival(chats: readonly ImportedChat[], file: Blob, facts: Facts): ChatArrival {
  const [first] = chats
  const skipped = chats.reduce((sum, chat) => sum + chat.skipped.length, 0)
  const lost = skipped === 0 ? [] : [`Lines that are left out: ${skipped}.`]
  return {
    ...facts,
    kind: 'chat',
    file,
    program: first?.program ?? '',
    character: first?.group?.members.map(({ name }) => name).join(', ') ?? first?.characterName ?? '',
    user: first?.userName ?? '',
    chats: chats.length,
    messages: chats.reduce((sum, { messages }) => sum + messages.length, 0),
    warnings: [...facts.warnings, ...lost],
  }
}

function loreArrival({ program, name, book }: LoreFile, text: string, facts: Facts): LoreArrival {
  const called = name.trim() || facts.fileName.replace(/\.json$/i, '')
  const { unmet } = readLorebook(book, called)
  const entries = entriesOf(book).length
  return { ...facts, kind: 'lore', program, name: called, entries, book, text, unmet }
}

async function cardArrival(found: CardFile, facts: Facts, options: ArrivalOptions): Promise<Arrival> {
  const { card, original, spec, program = null, portrait, adapter, assets } = found
  const picture = (portrait && (await options.plainPicture?.(portrait))) ?? null
  const isLost = portrait !== undefined && options.plainPicture !== undefined && picture === null
  const warnings = isLost
    ? [...found.warnings, 'The picture cannot be drawn and is left out.']
    : found.warnings
  if (adapter) return trainedArrival({ ...found, warnings }, adapter, picture, facts)
  return {
    ...facts,
    kind: 'card',
    spec,
    program,
    card: readCard(card),
    data: card,
    original,
    assets: new Map([...assets].map(([path, content]) => [path, new Blob([plainBytes(content)])])),
    portrait: picture,
    warnings,
  }
}

/**
 * A CHARX that carries its adapter: the role of the card's name, or the last one, gets the card, which somebody may have
 * edited since, without what names files of the archive.
 */
async function trainedArrival(
  { card, warnings }: CardFile,
  adapter: Uint8Array,
  picture: Blob | null,
  facts: Facts,
): Promise<PackArrival> {
  const name = `${facts.fileName}: the adapter`
  const pack = await readPack(memorySource(name, plainBytes(adapter)))
  const role = pack.roles.find((one) => one.name === ownField(card, 'name')) ?? pack.roles.at(-1)
  const kept = withoutEmbedded(card)
  const isSame = JSON.stringify(role?.card) === JSON.stringify(kept)
  const file = role && !isSame ? await writePack(changeRole(pack, role.name, { card: kept })) : adapter
  const known = isSame ? pack : await readPack(memorySource(name, file))
  return {
    ...packArrival(known, 'charx', new Blob([plainBytes(file)]), { ...facts, warnings }),
    portraits: new Map(role && picture ? [[role.name, picture] as const] : []),
  }
}

async function peftArrival(
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
  options: ArrivalOptions,
): Promise<PackArrival> {
  const { backbone: loaded } = options
  const found = await readPeft(files, loaded?.layers)
  const own = found.stated?.backbone ?? null
  if (!own && loaded) expectWidth(found, loaded)
  const { name: roleName = nameOf(found, name), system = found.stated?.system ?? null } = options.role ?? {}
  const file = await writePack(peftPack(found, { roleName, system, backbone: own ?? bound(options) }))
  const pack = await readPack(memorySource(name, file))
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0)
  const weights = [...files].filter(([path]) => path.endsWith('.safetensors')).map(([, content]) => content)
  const warnings = own ? found.warnings : [...found.warnings, baseWarning(found.baseModel, loaded)]
  const facts = { fileName: name, bytes, sha256: await hexSha256(joinBytes(weights)), warnings }
  return packArrival(pack, found.program === 'mlx-lm' ? 'mlx' : 'peft', new Blob([file]), facts)
}

/** What the role of a LoRA is called: as the folder says, else as the folder is. */
function nameOf({ stated }: PeftRole, folder: string): string {
  const written = (stated?.name ?? folder)
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 80)
  return written || 'Adapter'
}

/** Where a folder does not say by fingerprint for which backbone it is, its width does. */
function expectWidth({ config, baseModel }: PeftRole, { name, hidden }: ArrivingBackbone): void {
  for (const [projection, [inSize, outSize]] of config.dims) {
    const width = projection === 'o' || projection === 'down' ? outSize : inSize
    check(hidden === undefined || width === hidden, 'model-incompatible', () => {
      return `the LoRA is made for ${baseModel || 'another model'}, whose states have ${width} numbers; those of ${name} have ${hidden}`
    })
  }
}

/** The last part of a model's name, without what says only how its weights are stored. */
function plainModel(name: string): string {
  const last =
    name
      .toLowerCase()
      .split(/[\\/]/)
      .findLast((part) => part !== '') ?? ''
  return last.replace(
    /(?:[-_](?:onnx|gguf|mlx|gptq|awq|bnb|bf16|fp16|fp32|f16|[48]-?bit|int[48]|q[48]\w*))+$/,
    '',
  )
}

function baseWarning(baseModel: string, loaded: ArrivingBackbone | null): string {
  const base = baseModel === '' ? 'no model' : baseModel
  const names = [loaded?.name, shippedBackbone(loaded?.fingerprint)?.repository]
  const isSame = names.some((name) => name !== undefined && plainModel(name) === plainModel(baseModel))
  const beside = !loaded || isSame ? '' : `, and ${loaded.name} is at hand`
  return `The folder names ${base} as its base model${beside}; only the sizes can be compared.`
}

async function checkpointArrival(
  bytes: Uint8Array,
  facts: CheckpointFacts,
  file: Facts,
): Promise<PackArrival> {
  const content = await readAuthorsCheckpoint(memorySource(file.fileName, bytes), facts)
  const written = await writePack(content)
  const pack = await readPack(memorySource(file.fileName, written))
  return packArrival(pack, 'pack', new Blob([written]), file)
}

function backupArrival({ createdAt, software, parts }: Backup, facts: Facts): BackupArrival {
  const kept = parts.map(({ kind, name, bytes, details = null }) => ({
    kind,
    name,
    file: new Blob([plainBytes(bytes)]),
    details,
  }))
  return { ...facts, kind: 'backup', createdAt, software, parts: kept }
}

/** A pack that has been read, as it is told of before it is accepted; `file` holds it as it is to be kept. */
export function packArrival(pack: Pack, form: PackArrival['form'], file: Blob, facts: Facts): PackArrival {
  const isWild = pack.largestMagnitude > WILD
  const wild = `It holds values up to ${pack.largestMagnitude.toExponential(0)}: whoever made it may have made a mistake.`
  const silence = silenceOf(pack)
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
    warnings: [...facts.warnings, ...(isWild ? [wild] : []), ...(silence === null ? [] : [silence])],
  }
}

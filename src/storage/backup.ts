import { decodeBase64, encodeBase64 } from '../core/base64.ts'
import { check } from '../core/errors.ts'
import { backupPieces } from '../formats/backup.ts'
import type { BackupPart } from '../formats/backup.ts'
import { writeCardJson } from '../formats/cardFile.ts'
import { parseCardJson, readCardRecord } from '../formats/cardRecord.ts'
import { isJsonRecord, ownField, parseStrictJson } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import type { CardLibrary, KeptCard } from './cardLibrary.ts'
import { readChatEvents, writeChatEvents } from './chatEvents.ts'
import type { ChatLog } from './chatLog.ts'
import { sha256 } from './database.ts'
import type { KeptPack, NewPack, Origin, PackLibrary } from './packLibrary.ts'
import type { ChatEvent, Settings } from './records.ts'
import { readSettings } from './settings.ts'

/** What a backup is made of, and put back into. */
export interface BackupStores {
  readonly log: ChatLog
  readonly library: PackLibrary
  readonly cards: CardLibrary
}

/** A part of a backup whose sums have been checked. */
export interface KeptPart {
  readonly kind: BackupPart['kind']
  readonly name: string
  readonly file: Blob
  readonly details: JsonRecord | null
}

/** Packs, cards, chats that are not deleted, and settings as one file; one of them is in memory at a time. */
export async function writeBackupFile(
  stores: BackupStores,
  settings: Settings,
  createdAt: number,
): Promise<Blob> {
  const pieces: Blob[] = []
  const origin = { createdAt, software: 'HyCoRA playground' }
  // Each piece becomes a Blob at once, which the browser may keep on the disk.
  for await (const piece of backupPieces(partsOf(stores, settings), origin)) pieces.push(new Blob([piece]))
  return new Blob(pieces, { type: 'application/zip' })
}

async function* partsOf(stores: BackupStores, settings: Settings): AsyncGenerator<BackupPart> {
  const utf8 = new TextEncoder()
  yield { kind: 'settings', name: 'Settings', bytes: utf8.encode(`${JSON.stringify(settings)}\n`) }
  for (const pack of await stores.library.list()) yield await packPart(pack, stores.library)
  for (const card of await stores.cards.list()) yield await cardPart(card)
  for (const { id, title, deleted } of await stores.log.list()) {
    if (deleted) continue
    const events = await stores.log.events(id)
    yield { kind: 'chat', name: title, bytes: utf8.encode(writeChatEvents(events)), details: { id } }
  }
}

async function packPart(pack: KeptPack, library: PackLibrary): Promise<BackupPart> {
  const { id, name, backboneId, cast, origin, addedAt, portraits, cards = new Map() } = pack
  const bytes = await bytesOf(await library.read(id))
  const pictures = await encodeAll(portraits)
  const details = { id, backboneId, cast, origin, addedAt, pictures }
  return { kind: 'pack', name, bytes, details: { ...details, ...(cards.size > 0 && { cards: [...cards] }) } }
}

async function cardPart({ id, name, card, original, assets, portrait, fileName, addedAt }: KeptCard) {
  const details = {
    id,
    fileName,
    addedAt,
    picture: portrait && encodeBase64(await bytesOf(portrait)),
    assets: await encodeAll(assets),
  }
  return { kind: 'role' as const, name, bytes: writeCardJson(card, original), details }
}

async function encodeAll(files: ReadonlyMap<string, Blob>): Promise<readonly (readonly [string, string])[]> {
  return Promise.all([...files].map(async ([key, file]) => [key, encodeBase64(await bytesOf(file))] as const))
}

async function bytesOf(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.arrayBuffer())
}

/** What putting a backup back comes to; nothing is taken away by it. */
export interface RestorePlan {
  readonly packs: readonly PackStep[]
  readonly cards: readonly KeptCard[]
  readonly chats: readonly ChatStep[]
  readonly settings: Settings | null
  /** What is here already, by kind. */
  readonly present: { readonly packs: number; readonly cards: number; readonly chats: number }
}

interface PackStep {
  readonly pack: Omit<NewPack, 'file'>
  readonly file: Blob
}

interface ChatStep {
  /** `more`: the backup has gone on from what is here; `other`: both have gone on, so it comes beside it. */
  readonly kind: 'new' | 'more' | 'other'
  readonly title: string
  readonly events: readonly ChatEvent[]
}

/**
 * Compares a backup with what is here.
 *
 * @throws HycoraError `format-invalid` when a part is not what it says it is.
 */
export async function planRestore(
  parts: readonly KeptPart[],
  stores: BackupStores,
  newId: () => string,
): Promise<RestorePlan> {
  const [herePacks, hereCards] = [await stores.library.list(), await stores.cards.list()]
  const packs: PackStep[] = []
  const cards: KeptCard[] = []
  const chats: ChatStep[] = []
  const present = { packs: 0, cards: 0, chats: 0 }
  let settings: Settings | null = null
  for (const part of parts) {
    switch (part.kind) {
      case 'settings':
        settings = readSettings(parseStrictJson(await part.file.text(), part.name))
        break
      case 'pack': {
        const step = await planPack(part, herePacks, newId)
        if (step) packs.push(step)
        else present.packs++
        break
      }
      case 'role': {
        const card = await readCardPart(part, newId)
        if (hereCards.some(({ id }) => id === card.id)) present.cards++
        else cards.push(card)
        break
      }
      case 'chat': {
        const step = await planChat(part, stores.log)
        if (step) chats.push(step)
        else present.chats++
        break
      }
      default:
        part.kind satisfies never
    }
  }
  return { packs, cards, chats, settings, present }
}

/** Null where the pack is here with all that stand in its cast. */
async function planPack(
  { name, file, details }: KeptPart,
  here: readonly KeptPack[],
  newId: () => string,
): Promise<PackStep | null> {
  const hash = await sha256(file)
  const fields = details ?? {}
  const id = textOf(fields, 'id')
  const cast = ownField(fields, 'cast')
  const names = Array.isArray(cast) ? cast.filter((one) => typeof one === 'string') : []
  const known = here.find((pack) => pack.sha256 === hash)
  if (known) {
    const missing = names.filter((role) => !known.cast.includes(role))
    return missing.length === 0 ? null : { pack: { ...known, cast: [...known.cast, ...missing] }, file }
  }
  const addedAt = ownField(fields, 'addedAt')
  const backboneId = ownField(fields, 'backboneId')
  const cards = cardsIn(ownField(fields, 'cards'))
  return {
    file,
    pack: {
      // The same id, so that chats find their character again.
      id: isId(id) && !here.some((pack) => pack.id === id) ? id : newId(),
      name,
      backboneId: typeof backboneId === 'string' ? backboneId : null,
      cast: names,
      origin: readOrigin(ownField(fields, 'origin')),
      portraits: decodeAll(ownField(fields, 'pictures'), 'image/png'),
      ...(cards.size > 0 && { cards }),
      addedAt: typeof addedAt === 'number' ? addedAt : 0,
    },
  }
}

/** The cards of roles that were changed on another device. */
function cardsIn(value: unknown): ReadonlyMap<string, JsonRecord> {
  const entries: readonly unknown[] = Array.isArray(value) ? value : []
  return new Map(
    entries.flatMap((entry) => {
      const [role, card]: readonly unknown[] = Array.isArray(entry) ? entry : []
      return typeof role === 'string' && isJsonRecord(card) ? [[role, card] as const] : []
    }),
  )
}

function readOrigin(value: unknown): Origin {
  const kind = isJsonRecord(value) ? ownField(value, 'kind') : null
  if (kind === 'taught' || kind === 'blended') return { kind }
  const fileName = isJsonRecord(value) ? ownField(value, 'fileName') : null
  return { kind: 'brought', fileName: typeof fileName === 'string' ? fileName : 'a backup' }
}

async function readCardPart({ name, file, details }: KeptPart, newId: () => string): Promise<KeptCard> {
  // A card as JSON and nothing else: a backup's pictures and files lie beside it.
  const { card, original } = readCardRecord(parseCardJson(await bytesOf(file), name).whole, name)
  const fields = details ?? {}
  const [id, addedAt, picture] = [
    textOf(fields, 'id'),
    ownField(fields, 'addedAt'),
    ownField(fields, 'picture'),
  ]
  const pixels = typeof picture === 'string' ? decodeBase64(picture) : null
  return {
    version: 1,
    id: isId(id) ? id : newId(),
    name,
    card,
    original,
    assets: decodeAll(ownField(fields, 'assets'), ''),
    portrait: pixels && new Blob([pixels], { type: 'image/png' }),
    fileName: textOf(fields, 'fileName'),
    addedAt: typeof addedAt === 'number' ? addedAt : 0,
  }
}

function decodeAll(value: unknown, type: string): ReadonlyMap<string, Blob> {
  const entries: readonly unknown[] = Array.isArray(value) ? value : []
  return new Map(
    entries.flatMap((entry) => {
      const [key, encoded]: readonly unknown[] = Array.isArray(entry) ? entry : []
      const bytes = typeof encoded === 'string' ? decodeBase64(encoded) : null
      return typeof key === 'string' && bytes ? [[key, new Blob([bytes], { type })] as const] : []
    }),
  )
}

function textOf(fields: JsonRecord, key: string): string {
  const value = ownField(fields, key)
  return typeof value === 'string' ? value : ''
}

function isId(text: string): boolean {
  return /^[0-9a-f]{24}$/.test(text)
}

/** Null where all of the chat is here. */
async function planChat({ name, file }: KeptPart, log: ChatLog): Promise<ChatStep | null> {
  const events = readChatEvents(await file.text(), name)
  const chat = events[0]?.chat ?? ''
  check(isId(chat), 'format-invalid', () => `${name} has no id that a chat can have`)
  check(
    events.every((event) => event.chat === chat),
    'format-invalid',
    () => `${name} mixes events of several chats`,
  )
  const here = await log.events(chat)
  if (here.length === 0) return { kind: 'new', title: name, events }
  const common = events.findIndex((event, index) => sorted(event) !== sorted(here[index]))
  if (common < 0) return null
  if (common >= here.length) return { kind: 'more', title: name, events: events.slice(here.length) }
  // The same backup, put back once more, finds its copy.
  const copy = (await sha256(file)).slice(0, 24)
  if ((await log.events(copy)).length > 0) return null
  return { kind: 'other', title: name, events: events.map((event) => ({ ...event, chat: copy })) }
}

/** A value as JSON with its keys in order: equal values are equal texts. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isJsonRecord(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/**
 * Puts back what is missing.
 *
 * @throws HycoraError `storage-full`, `storage-corrupt`, `format-invalid` for a pack that is none; what came before it stays.
 */
export async function restoreBackup(plan: RestorePlan, stores: BackupStores): Promise<void> {
  for (const { pack, file } of plan.packs) await stores.library.add({ ...pack, file })
  for (const card of plan.cards) await stores.cards.add(card)
  for (const { events } of plan.chats) await stores.log.restore(events)
}

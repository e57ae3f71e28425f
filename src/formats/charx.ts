import { check } from '../core/errors.ts'
import { cardV3, type CardPicture } from './cardSpec.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'
import { readZip, writeZip, type ZipFile } from './zip.ts'

/*
 * CHARX: a zip with `card.json` (V3) at its root and files below `assets/{type}/{kind}/`. A persona pack lies below
 * `assets/x_hycora/ai/`: an asset type of our own, which other programs keep and leave alone.
 *
 * Reference: kwaroran/character-card-spec-v3, SPEC_V3.md, "CHARX".
 */

const CARD_PATH = 'card.json'
const ADAPTER_TYPE = 'x_hycora'
const ADAPTER_PATH = `assets/${ADAPTER_TYPE}/ai/adapter.safetensors`
const PORTRAIT_FOLDER = 'assets/icon/images'
/** The misspelling is the specification's. */
const EMBEDDED = 'embeded://'
const PICTURES: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpeg', 'image/jpeg'],
  ['jpg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['gif', 'image/gif'],
  ['avif', 'image/avif'],
])
const STORED = /\.(?:png|jpe?g|webp|gif|avif|safetensors|onnx|mp[34]|ogg|webm|woff2?|zip)$/i
const LIMITS = { files: 2048, inflatedBytes: 128 * 2 ** 20, totalBytes: 256 * 2 ** 20 }

/** What a CHARX holds. */
export interface CharxParts {
  readonly cardJson: Uint8Array
  /** Sorts the other files by what the parsed card says of them. */
  pick(card: JsonRecord): {
    readonly portrait: CardPicture | null
    readonly adapter: Uint8Array | null
    readonly assets: ReadonlyMap<string, Uint8Array>
  }
}

/**
 * Opens a CHARX.
 *
 * @throws HycoraError `format-invalid` when it is no sound zip, exceeds 2,048 files or 256 MiB inflated, or has no card;
 *   `format-unsupported` for zip64 and encryption.
 */
export function readCharx(bytes: Uint8Array, name: string): CharxParts {
  const files = readZip(bytes, name, LIMITS)
  const cardJson = files.get(CARD_PATH)
  check(cardJson, 'format-invalid', () => `${name} is no character card: the archive has no ${CARD_PATH}`)
  return {
    cardJson,
    pick(card) {
      const declared = embeddedAssets(card)
      const adapter = declared.find(({ type, path }) => type === ADAPTER_TYPE && isAdapterPath(path))
      const adapterPath = adapter?.path ?? [...files.keys()].find(isAdapterPath)
      const icons = declared.filter(({ type, path }) => type === 'icon' && files.has(path))
      const icon = icons.find((asset) => asset.name === 'main') ?? icons[0]
      const picture = icon && files.get(icon.path)
      const mime = icon && PICTURES.get(extensionOf(icon.path))
      const taken = new Set([CARD_PATH, adapterPath, mime && icon?.path])
      return {
        portrait: picture && mime ? { bytes: picture, mime } : null,
        adapter: (adapterPath !== undefined && files.get(adapterPath)) || null,
        assets: new Map([...files].filter(([path]) => !taken.has(path))),
      }
    },
  }
}

/** A card for where no archive is: without the assets that name files of one. */
export function withoutEmbedded(card: JsonRecord): JsonRecord {
  const assets = ownField(card, 'assets')
  if (!Array.isArray(assets)) return card
  const records: readonly unknown[] = assets
  return {
    ...card,
    assets: records.filter((asset) => !isJsonRecord(asset) || embeddedPath(asset) === null),
  }
}

interface EmbeddedAsset {
  readonly type: unknown
  readonly name: unknown
  readonly path: string
}

function embeddedAssets(card: JsonRecord): readonly EmbeddedAsset[] {
  const assets = ownField(card, 'assets')
  const records: readonly unknown[] = Array.isArray(assets) ? assets : []
  return records.flatMap((asset) => {
    const path = isJsonRecord(asset) ? embeddedPath(asset) : null
    return isJsonRecord(asset) && path !== null
      ? [{ type: ownField(asset, 'type'), name: ownField(asset, 'name'), path }]
      : []
  })
}

function embeddedPath(asset: JsonRecord): string | null {
  const uri = ownField(asset, 'uri')
  return typeof uri === 'string' && uri.startsWith(EMBEDDED) ? uri.slice(EMBEDDED.length) : null
}

function isAdapterPath(path: string): boolean {
  return /^assets\/x_hycora\/ai\/[^/]+\.safetensors$/.test(path)
}

function extensionOf(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
}

/** What goes into a CHARX. */
export interface CharxContent {
  /** The `data` object of V3. */
  readonly card: JsonRecord
  /** The object that the card came from, if it did, for what stands beside its `data`. */
  readonly original?: JsonRecord
  /** PNG, JPEG, WebP, GIF or AVIF; becomes the card's main icon. */
  readonly portrait?: CardPicture
  /** A persona pack. */
  readonly adapter?: Uint8Array
  /** Other files by path, as they were read. */
  readonly assets?: ReadonlyMap<string, Uint8Array>
}

/**
 * A CHARX: an ordinary character for every program that reads the format, a trained one for this. `assets` of the card
 * declares the portrait and the pack; a drawn icon stays beside the portrait, a reference to a file that is not there is
 * left out. The same content gives the same bytes.
 *
 * @throws HycoraError `usage` for a portrait of another kind.
 */
export function writeCharx({
  card,
  original,
  portrait,
  adapter,
  assets,
}: CharxContent): Uint8Array<ArrayBuffer> {
  const extension = portrait && [...PICTURES].find(([, mime]) => mime === portrait.mime)?.[0]
  check(
    !portrait || extension,
    'usage',
    () => `the portrait is ${portrait?.mime}, which CHARX does not carry`,
  )
  const portraitPath = `${PORTRAIT_FOLDER}/main.${extension}`
  const others = new Map(
    [...(assets ?? [])].filter(
      ([path]) => path !== CARD_PATH && path !== portraitPath && !isAdapterPath(path),
    ),
  )
  const icons = portrait ? [embedded('icon', portraitPath, 'main', extension ?? '')] : []
  const adapters = adapter ? [embedded(ADAPTER_TYPE, ADAPTER_PATH, 'adapter', 'safetensors')] : []
  const declared = [...icons, ...keptAssets(card, others, portrait !== undefined), ...adapters]
  const fields = Object.fromEntries(Object.entries(card).filter(([key]) => key !== 'assets'))
  const whole = cardV3(declared.length > 0 ? { ...fields, assets: declared } : fields, original)
  const files: ZipFile[] = [
    { path: CARD_PATH, bytes: new TextEncoder().encode(JSON.stringify(whole, null, 2)) },
    ...(portrait ? [{ path: portraitPath, bytes: portrait.bytes, store: true }] : []),
    ...(adapter ? [{ path: ADAPTER_PATH, bytes: adapter, store: true }] : []),
    ...[...others].map(([path, bytes]) => ({ path, bytes, store: STORED.test(path) })),
  ]
  return writeZip(files)
}

function embedded(type: string, path: string, name: string, ext: string): JsonRecord {
  return { type, uri: EMBEDDED + path, name, ext }
}

/** The card's own assets that still hold: what names a file of the archive needs it there. */
function keptAssets(
  card: JsonRecord,
  files: ReadonlyMap<string, Uint8Array>,
  hasPortrait: boolean,
): readonly unknown[] {
  const assets = ownField(card, 'assets')
  const records: readonly unknown[] = Array.isArray(assets) ? assets : []
  return records.flatMap((record) => {
    if (!isJsonRecord(record)) return []
    const path = embeddedPath(record)
    if (path !== null && !files.has(path)) return []
    const isMainIcon = ownField(record, 'type') === 'icon' && ownField(record, 'name') === 'main'
    if (!isMainIcon || !hasPortrait) return [record]
    return ownField(record, 'uri') === 'ccdefault:' ? [] : [{ ...record, name: 'drawn' }]
  })
}

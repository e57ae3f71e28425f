import { check } from '../core/errors.ts'
import { cardV3, type CardPicture } from './cardSpec.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'
import { scanZip, writeZip, type ZipFile } from './zip.ts'

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
/** The misspelling is the specification's; some programs spell it right. */
const EMBEDDED = 'embeded://'
const ANY_EMBEDDED = /^embedd?ed:\/\/(?:\.?\/)?/i
/** How an asset of a PNG card is named, by the chunk that holds it. */
export const CHUNK_ASSET = '__asset:'
const PICTURES: ReadonlyMap<string, string> = new Map([
  ['png', 'image/png'],
  ['jpeg', 'image/jpeg'],
  ['jpg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['gif', 'image/gif'],
  ['avif', 'image/avif'],
])
const STORED = /\.(?:png|jpe?g|webp|gif|avif|safetensors|onnx|mp[34]|ogg|webm|woff2?|zip)$/i
const LIMITS = { files: 16_384, inflatedBytes: 128 * 2 ** 20, totalBytes: 256 * 2 ** 20 }

/** What a CHARX holds. */
export interface CharxParts {
  readonly cardJson: Uint8Array
  /** Sorts the other files by what the parsed card says of them. */
  pick(card: JsonRecord): {
    readonly portrait: CardPicture | null
    readonly adapter: Uint8Array | null
    readonly assets: ReadonlyMap<string, Uint8Array>
  }
  /** What of the archive is left out, in sentences. */
  readonly warnings: readonly string[]
}

/**
 * Opens a CHARX. A file of it that is broken, or beyond 16,384 files and 256 MiB inflated, costs itself alone.
 *
 * @throws HycoraError `format-invalid` when it is no sound zip or has no card; `format-unsupported` for zip64.
 */
export function readCharx(bytes: Uint8Array, name: string): CharxParts {
  const scan = scanZip(bytes, name, LIMITS, isNeeded)
  const { faults } = scan
  const root = (cardPathOf([...scan.files.keys(), ...faults.keys()]) ?? '').slice(0, -CARD_PATH.length)
  const files = new Map(
    [...scan.files].flatMap(([path, file]) =>
      path.startsWith(root) ? [[path.slice(root.length), file]] : [],
    ),
  )
  const cardJson = files.get(CARD_PATH)
  const fault = faults.get(root + CARD_PATH)
  if (fault) throw fault
  check(cardJson, 'format-invalid', () => `${name} is no character card: the archive has no ${CARD_PATH}`)
  const [first] = faults.values()
  const warnings = first ? [`Files that are left out: ${faults.size}. ${first.message}.`] : []
  return {
    cardJson,
    warnings,
    pick(card) {
      const declared = embeddedAssets(card)
      const adapter = declared.find(({ type, path }) => type === ADAPTER_TYPE && isAdapterPath(path))
      const adapterPath = adapter?.path ?? [...files.keys()].find(isAdapterPath)
      const icons = declared.filter(({ type, path }) => type === 'icon' && files.has(path))
      // Some programs put the picture there and do not say so.
      const stray = [...files.keys()].find((path) => path.startsWith(`${PORTRAIT_FOLDER}/`))
      const icon =
        icons.find((asset) => asset.name === 'main') ??
        icons[0] ??
        (stray === undefined ? undefined : { path: stray })
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

/** Where the card of an archive lies: at its root, or in the one folder that was packed; null for none. */
export function cardPathOf(paths: readonly string[]): string | null {
  if (paths.includes(CARD_PATH)) return CARD_PATH
  const deeper = paths.filter((path) => path.endsWith(`/${CARD_PATH}`) && !path.startsWith('__MACOSX/'))
  return deeper.length === 1 ? (deeper[0] ?? null) : null
}

/** What a card needs before anything else of its archive. */
function isNeeded(path: string): boolean {
  return /(?:^|\/)(?:card\.json$|assets\/(?:icon|x_hycora)\/)/.test(path)
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
  return recordsOf(card).flatMap((asset) => {
    const path = isJsonRecord(asset) ? embeddedPath(asset) : null
    return isJsonRecord(asset) && path !== null
      ? [{ type: ownField(asset, 'type'), name: ownField(asset, 'name'), path }]
      : []
  })
}

function embeddedPath(asset: JsonRecord): string | null {
  const uri = ownField(asset, 'uri')
  return typeof uri === 'string' && ANY_EMBEDDED.test(uri) ? uri.replace(ANY_EMBEDDED, '') : null
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
  const filed = withPaths(card, assets ?? new Map())
  const others = new Map(
    [...filed.assets].filter(([path]) => path !== CARD_PATH && path !== portraitPath && !isAdapterPath(path)),
  )
  const icons = portrait ? [embedded('icon', portraitPath, 'main', extension ?? '')] : []
  const adapters = adapter ? [embedded(ADAPTER_TYPE, ADAPTER_PATH, 'adapter', 'safetensors')] : []
  const declared = [...icons, ...keptAssets(filed.card, others, portrait !== undefined), ...adapters]
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

/** The same files with paths of an archive where they came as chunks of a PNG, and the card that names them so. */
function withPaths(
  card: JsonRecord,
  assets: ReadonlyMap<string, Uint8Array>,
): { readonly card: JsonRecord; readonly assets: ReadonlyMap<string, Uint8Array> } {
  const paths = new Map<string, string>()
  const declared = recordsOf(card).map((asset) => {
    const key = chunkOf(asset)
    if (!isJsonRecord(asset) || key === null || !assets.has(key)) return asset
    const [type, name, ext] = ['type', 'name', 'ext'].map((field) => safePart(ownField(asset, field)))
    const path = `assets/${type || 'other'}/images/${safePart(key)}_${name || 'asset'}.${ext || 'png'}`
    paths.set(key, path)
    return { ...asset, uri: EMBEDDED + path }
  })
  const filed = [...assets].map(([key, bytes]) => {
    const path = paths.get(key) ?? (/[./]/.test(key) ? key : `assets/other/${safePart(key)}`)
    return [path, bytes] as const
  })
  return { card: paths.size > 0 ? { ...card, assets: declared } : card, assets: new Map(filed) }
}

/** The chunk of a PNG that an asset names; null where it names none. */
export function chunkOf(asset: unknown): string | null {
  const uri = isJsonRecord(asset) ? ownField(asset, 'uri') : undefined
  return typeof uri === 'string' && uri.startsWith(CHUNK_ASSET) ? uri.slice(CHUNK_ASSET.length) : null
}

/** A word as a part of a path. */
function safePart(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/[^\w-]+/g, '_').slice(0, 64) : ''
}

function recordsOf(card: JsonRecord): readonly unknown[] {
  const assets = ownField(card, 'assets')
  return Array.isArray(assets) ? assets : []
}

/**
 * A card and its files for a PNG, whose chunks have short names: files of an archive are named by number, in the card too.
 */
export function withChunks(
  card: JsonRecord,
  assets: ReadonlyMap<string, Uint8Array>,
): { readonly card: JsonRecord; readonly assets: ReadonlyMap<string, Uint8Array> } {
  const chunks = new Map([...assets].filter(([key]) => !key.includes('/')))
  const names = new Map<string, string>()
  for (const [path, bytes] of assets) {
    if (chunks.get(path) === bytes) continue
    let number = names.size
    while (chunks.has(String(number))) number++
    names.set(path, String(number))
    chunks.set(String(number), bytes)
  }
  const declared = recordsOf(card).map((asset) => {
    const path = isJsonRecord(asset) ? embeddedPath(asset) : null
    const name = path === null ? undefined : names.get(path)
    return isJsonRecord(asset) && name !== undefined ? { ...asset, uri: CHUNK_ASSET + name } : asset
  })
  return { card: names.size > 0 ? { ...card, assets: declared } : card, assets: chunks }
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
  return recordsOf(card).flatMap((record) => {
    if (!isJsonRecord(record)) return []
    const path = embeddedPath(record)
    if ((path !== null && !files.has(path)) || chunkOf(record) !== null) return []
    const isMainIcon = ownField(record, 'type') === 'icon' && ownField(record, 'name') === 'main'
    if (!isMainIcon || !hasPortrait) return [record]
    return ownField(record, 'uri') === 'ccdefault:' ? [] : [{ ...record, name: 'drawn' }]
  })
}

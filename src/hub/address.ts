import { hexSha256 } from '../core/bytes.ts'
import { check, HycoraError } from '../core/errors.ts'
import { reasonOf } from '../download/reasonOf.ts'
import type { ServedFile } from '../download/servedFile.ts'
import type { Fetcher } from './politeFetch.ts'
import { BESIDE } from './variants.ts'

/** A place on a page's own origin where a model may lie. */
export interface Address {
  /** What it is called: the last part of its path that says something. */
  readonly name: string
  /** Where the paths of its files begin, with a slash at the end. */
  readonly folder: string
  /** The ONNX files that are asked for, by their paths in the folder. */
  readonly models: readonly string[]
}

/** What exporters call the ONNX file of a decoder. */
const MODELS = ['', '_q4f16', '_q4', '_fp16', '_quantized', '_int8', '_uint8', '_bnb4'].flatMap((form) => [
  `onnx/model${form}.onnx`,
  `model${form}.onnx`,
])

/** Weights of a model come in no more files than this. */
const MOST_WEIGHTS = 64
/** Large files come in parts of this size. */
const CHUNK_BYTES = 16 * 2 ** 20
const STALL_MS = 20_000

/**
 * Reads a path, or an address of the page's own origin: of a folder with a model, or of its ONNX file.
 *
 * @param page the page's address.
 * @throws HycoraError `usage` where it lies on another site.
 */
export function readAddress(text: string, page: string): Address {
  const typed = text.trim()
  check(typed !== '' && URL.canParse(typed, page), 'usage', () => `"${typed}" is no path of this site`)
  const url = new URL(typed, page)
  const { origin } = new URL(page)
  check(
    url.origin === origin,
    'usage',
    () =>
      `${typed} lies on another site than this page (${origin}): fetch the folder, and open it from this device`,
  )
  const path = url.pathname.endsWith('.onnx') ? url.pathname : url.pathname.replace(/\/*$/, '/')
  const parts = path.split('/').slice(1, -1)
  const name = decodeURIComponent(parts.findLast((part) => part !== 'onnx') ?? url.host)
  if (path.endsWith('/')) return { name, folder: origin + path, models: MODELS }
  // What reads and writes text lies beside the model, or one folder above.
  const above = parts.slice(0, -1).map((part) => `${part}/`)
  const folder = `/${above.join('')}`
  return { name, folder: origin + folder, models: [decodeURIComponent(path.slice(folder.length))] }
}

export interface AddressOptions {
  readonly fetcher?: Fetcher
  readonly signal?: AbortSignal
  /** How long nothing may come. */
  readonly stallMs?: number
}

/**
 * Asks for the files that belong to a model at an address, one by one: a folder on a site has no list. They have no hash, so
 * that the length is checked, and what its server calls the version tells one file from the next.
 *
 * @throws HycoraError `download-refused` where no model is there; `download-failed` where the site cannot be asked;
 * `format-unsupported` where it does not say how long a file is; `cancelled`.
 */
export async function listAddress(
  { name, folder, models }: Address,
  options: AddressOptions = {},
): Promise<readonly ServedFile[]> {
  const ask = (path: string): Promise<ServedFile | null> => askFor(folder, path, options)
  const found = present(await Promise.all(models.map(ask)))
  check(
    found.length > 0,
    'download-refused',
    () => `${folder} has no ONNX model under a usual name: give the path of the .onnx file itself (${name})`,
  )
  const folders = new Set(['', ...found.map(({ path }) => path.slice(0, path.lastIndexOf('/') + 1))])
  const beside = [...folders].flatMap((place) => BESIDE.map((file) => ask(place + file)))
  const weights = await Promise.all(found.map(({ path }) => weightsBeside(path, ask)))
  return [...found, ...weights.flat(), ...present(await Promise.all(beside))]
}

/** The files of a model's weights: one, or some that are counted. */
async function weightsBeside(
  model: string,
  ask: (path: string) => Promise<ServedFile | null>,
): Promise<readonly ServedFile[]> {
  const names = [`${model}_data`, `${model}.data`, `${model.replace(/\.onnx$/, '')}.data`]
  const found = present(await Promise.all(names.map(ask)))
  for (let count = 1; found[0] && count < MOST_WEIGHTS; count++) {
    const next = await ask(`${found[0].path}_${count}`)
    if (!next) break
    found.push(next)
  }
  return found
}

function present<T>(values: readonly (T | null)[]): T[] {
  return values.filter((value) => value !== null)
}

/** What a site says of a file; null where it has none. */
async function askFor(
  folder: string,
  path: string,
  { fetcher = fetch, signal, stallMs = STALL_MS }: AddressOptions,
): Promise<ServedFile | null> {
  const url = folder + path.split('/').map(encodeURIComponent).join('/')
  const stall = AbortSignal.timeout(stallMs)
  const stop = signal ? AbortSignal.any([signal, stall]) : stall
  const asked = async (method: 'HEAD' | 'GET'): Promise<Response> =>
    fetcher(url, { method, cache: 'no-store', credentials: 'omit', signal: stop })
  try {
    const response = await asked('HEAD')
    if (!isThere(response, url)) return null
    // A coded body's length is not the file's; a text is small enough to be counted.
    const stated = response.headers.get('Content-Encoding') ? null : response.headers.get('Content-Length')
    const isText = /\.(json|jinja)$/.test(path)
    const bytes =
      stated === null && isText ? (await (await asked('GET')).blob()).size : Number(stated ?? Number.NaN)
    check(
      Number.isSafeInteger(bytes),
      'format-unsupported',
      () =>
        `${url} comes without its length, by which it would be checked: have the site send it uncompressed`,
    )
    const { headers } = response
    const mark = headers.get('ETag') ?? headers.get('Last-Modified') ?? ''
    const version = await hexSha256(new TextEncoder().encode(JSON.stringify([url, bytes, mark])))
    const chunks = bytes > CHUNK_BYTES && { chunks: { bytes: CHUNK_BYTES, sha256: null } }
    return { path, bytes, sha256: '', version, ...chunks }
  } catch (thrown) {
    if (signal?.aborted) throw new HycoraError('cancelled', 'the site was not waited for', { cause: thrown })
    if (thrown instanceof HycoraError) throw thrown
    const reason = stall.aborted ? `nothing came for ${stallMs / 1000} s` : reasonOf(thrown)
    throw new HycoraError('download-failed', `${url} cannot be asked for: ${reason}`, { cause: thrown })
  }
}

/** Whether an answer is the file's: many sites send their first page for whatever is not there. */
function isThere({ ok, status, url, headers }: Response, asked: string): boolean {
  check(
    status < 500 && status !== 429,
    'download-failed',
    () => `${asked} cannot be asked for: the server answered ${status}`,
  )
  const isOwn = url === '' || new URL(url).origin === new URL(asked).origin
  check(
    isOwn,
    'download-refused',
    () => `${asked} leads to another site, ${new URL(url).origin}, which is not asked`,
  )
  return ok && !(headers.get('Content-Type') ?? '').startsWith('text/html')
}

/** Why the files of an address did not come, and what to do. */
export function addressRefusal(thrown: unknown, folder: string): unknown {
  if (!(thrown instanceof HycoraError) || thrown.code !== 'download-mismatch') return thrown
  const message = `${thrown.message}: ${folder} has changed since it was looked at. Remove the model, and look it up again.`
  return new HycoraError(thrown.code, message, { cause: thrown })
}

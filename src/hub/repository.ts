import { HycoraError } from '../core/errors.ts'

/** A model's repository on a hub. */
export interface Repository {
  /** `OWNER/NAME`. */
  readonly name: string
  /** A branch, a tag or a commit. */
  readonly revision: string
}

/** The hub where nothing else is said. */
export const HUB_URL = 'https://huggingface.co'

const NAME = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/
const REVISION = /^[\w./-]+$/

/** Whether a text is `OWNER/NAME`. */
export function isRepositoryName(text: unknown): boolean {
  return typeof text === 'string' && NAME.test(text)
}

/**
 * Reads what people type or paste: `owner/name`, `owner/name@revision`, or an address on a hub.
 *
 * @throws HycoraError `usage` where it names no repository.
 */
export function readRepository(text: string): Repository {
  const typed = text.trim()
  const [path = '', named] = withoutHost(typed).split('@')
  const [owner = '', title = '', kind, ...rest] = path.replace(/\/+$/, '').split('/')
  const isWithin = kind === 'tree' || kind === 'blob' || kind === 'resolve'
  const inPath = (kind === 'tree' ? rest.join('/') : rest[0]) ?? ''
  const revision = named ?? (isWithin ? decodeURIComponent(inPath) : '')
  const name = `${owner}/${title}`
  const isKnown = isRepositoryName(name) && (kind === undefined || isWithin)
  if (!isKnown || (revision !== '' && !REVISION.test(revision))) {
    throw new HycoraError('usage', `"${typed}" names no model, expected OWNER/NAME or its address`)
  }
  return { name, revision: revision || 'main' }
}

/** The path of an address, or the text; an owner's name may have a dot in it, but then nothing is behind the title. */
function withoutHost(typed: string): string {
  const address = /^(https?:\/\/)?[^/\s]+\.[^/\s]+\/([^?#]+)/.exec(typed)
  const path = address?.[2]?.replace(/^(api\/)?models\//, '')
  return path !== undefined && (address?.[1] || path.includes('/')) ? path : typed
}

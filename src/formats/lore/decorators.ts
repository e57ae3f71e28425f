import { DECORATORS } from './fields.ts'
import type { Decorator } from './fields.ts'

/** What the first lines of an entry's content say of it, and the rest, which is what may be sent. */
export interface Decorated {
  readonly content: string
  /** The values of each decorator that is honoured, in their order; of most the first alone counts. */
  readonly values: ReadonlyMap<Decorator, readonly string[]>
  /** Those that nothing here follows, as they are written. */
  readonly unknown: readonly string[]
}

/** More lines than these are content. */
const MOST_LINES = 256

/** What a decorator's value must be, where not any will do. */
const VALUES: Readonly<Partial<Record<Decorator, RegExp>>> = {
  activate_only_after: /^\d+$/,
  activate_only_every: /^[1-9]\d*$/,
  depth: /^-?\d+$/,
  scan_depth: /^\d+$/,
  is_greeting: /^\d+$/,
  probability: /^\d+(?:\.\d+)?%?$/,
  role: /^(?:assistant|system|user)$/i,
  position: /^(?:after_desc|before_desc|personality|scenario)$/i,
  // Without a system prompt nobody would play.
  disable_ui_prompt: /^post_history_instructions$/i,
}

function isHonoured(name: string, value: string): name is Decorator {
  if (!Object.hasOwn(DECORATORS, name) || DECORATORS[name as Decorator] !== 'honoured') return false
  return VALUES[name as Decorator]?.test(value) ?? true
}

/**
 * Reads the decorators before a content. Of one and its fallbacks (`@@@`) the first that is honoured counts.
 *
 * Reference: kwaroran/character-card-spec-v3, SPEC_V3.md, "Decorators".
 */
export function readDecorators(content: string): Decorated {
  const lines = content.replaceAll('\r\n', '\n').split('\n', MOST_LINES)
  const values = new Map<Decorator, string[]>()
  const unknown: string[] = []
  let open: string | null = null
  let length = 0
  const close = (): void => {
    if (open !== null) unknown.push(open)
    open = null
  }
  for (const line of lines) {
    const [whole, at = '', name = '', rest = ''] = /^\s*(@@@?)([A-Za-z_]+)[^\S\n]*(.*)$/.exec(line) ?? []
    if (whole === undefined && line.trim() !== '') break
    length += line.length + 1
    if (whole === undefined || (at === '@@@' && open === null)) continue
    if (at === '@@') close()
    const [known, value] = [name.toLowerCase(), rest.trim()]
    if (isHonoured(known, value)) {
      values.set(known, [...(values.get(known) ?? []), value])
      open = null
    } else open ??= `@@${known}`
  }
  close()
  if (values.size === 0 && unknown.length === 0) return { content, values, unknown }
  return { content: content.replaceAll('\r\n', '\n').slice(length).replace(/^\n+/, ''), values, unknown }
}

/** A dimension that may depend on the run: `factor` times the product of `symbols`, which are sorted. */
export interface Dimension {
  readonly factor: number
  readonly symbols: readonly string[]
}

/** An entry of a shape vector; null where nothing is known. */
export type Entry = Dimension | null

// Real shapes multiply two or three symbols; without a cap a hostile graph could double their number per node.
const MAXIMUM_SYMBOLS = 8

/** A dimension that is the same in every run. */
export function fixed(factor: number): Dimension {
  return { factor, symbols: [] }
}

/** A dimension that the run decides. */
export function symbolic(name: string): Dimension {
  return { factor: 1, symbols: [name] }
}

/** The dimension's number where it depends on nothing. */
export function fixedSize(entry: Entry | undefined): number | undefined {
  return entry && entry.symbols.length === 0 ? entry.factor : undefined
}

/** Whether both are known to be equal in every run. */
export function isSame(a: Entry | undefined, b: Entry | undefined): boolean {
  if (!a || !b) return false
  return (
    a.factor === b.factor &&
    a.symbols.length === b.symbols.length &&
    a.symbols.every((s, i) => s === b.symbols[i])
  )
}

/** a · b, null where either is unknown. */
export function times(a: Entry, b: Entry): Entry {
  if (!a || !b || a.symbols.length + b.symbols.length > MAXIMUM_SYMBOLS) return null
  return { factor: a.factor * b.factor, symbols: [...a.symbols, ...b.symbols].toSorted() }
}

/** a / b where every symbol of b is one of a. */
export function over(a: Entry, b: Entry): Entry {
  if (!a || !b || b.factor === 0) return null
  const symbols = [...a.symbols]
  for (const symbol of b.symbols) {
    const at = symbols.indexOf(symbol)
    if (at < 0) return null
    symbols.splice(at, 1)
  }
  return { factor: a.factor / b.factor, symbols }
}

function product(entries: readonly Entry[]): Entry {
  return entries.reduce<Entry>(times, fixed(1))
}

/**
 * The shape that ONNX's Reshape gives: 0 copies (unless `allowZero`), one entry that is −1 or unknown is inferred.
 *
 * @returns undefined where the shape cannot be known or the element counts differ.
 */
export function reshape(
  dims: readonly Dimension[],
  target: readonly Entry[],
  options: { readonly allowZero: boolean },
): readonly Dimension[] | undefined {
  const shape: Entry[] = target.map((entry, at) => {
    if (fixedSize(entry) === 0 && !options.allowZero) return dims[at] ?? null
    return fixedSize(entry) === -1 ? null : entry
  })
  const open = shape.indexOf(null)
  if (open >= 0) {
    shape[open] = fixed(1)
    const rest = over(product(dims), product(shape))
    if (!rest || !Number.isInteger(rest.factor)) return undefined
    shape[open] = rest
  }
  if (!isSame(product(shape), product(dims))) return undefined
  return shape.filter((entry) => entry !== null)
}

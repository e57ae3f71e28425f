import type { JsonRecord } from '../../core/json.ts'

function keyOf(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_')
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}

/** A row's values by their names in lower case, and which of them were asked for: what nobody reads can be told. */
export class Fields {
  private readonly values = new Map<string, unknown>()
  private readonly names = new Map<string, string>()
  private readonly asked = new Set<string>()

  constructor(record: JsonRecord | Iterable<readonly [string, unknown]>) {
    const entries = Symbol.iterator in record ? record : Object.entries(record)
    for (const [name, value] of entries) {
      const key = keyOf(name)
      if (this.values.has(key)) continue
      this.values.set(key, value)
      this.names.set(key, name)
    }
  }

  has(...keys: readonly string[]): boolean {
    return keys.some((key) => this.values.has(key))
  }

  /** A value, counted as read. */
  get(key: string): unknown {
    this.asked.add(key)
    return this.values.get(key)
  }

  /** A value, not counted as read. */
  peek(key: string): unknown {
    return this.values.get(key)
  }

  /** The first of the keys under which something stands. */
  find(keys: readonly string[]): string | undefined {
    return keys.find((key) => !isBlank(this.values.get(key))) ?? keys.find((key) => this.values.has(key))
  }

  /** What stands under the first of the keys that has anything. */
  first(keys: readonly string[]): unknown {
    const key = this.find(keys)
    return key === undefined ? undefined : this.get(key)
  }

  /** The names, as written, under which something stands that nobody asked for. */
  left(): readonly string[] {
    return [...this.values]
      .filter(([key, value]) => !this.asked.has(key) && !isBlank(value))
      .map(([key]) => this.names.get(key) ?? key)
  }
}

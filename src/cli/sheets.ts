import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { HycoraError, check } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import type { RoleSheet } from '../evaluate/conversation.ts'
import { readFacts } from '../evaluate/facts.ts'

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  check(text !== undefined, 'usage', () => `${path} cannot be read`)
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    throw new HycoraError('format-invalid', `${path} is not JSON`)
  }
}

/**
 * The names of a character's world that are its own: those that its name in the pack is made of, without parts of others
 * ("John" beside "Long John").
 */
export function ownNames(role: string, world: readonly string[]): string[] {
  const words = role.split(/[ _]/)
  const own = world.filter((name) => name.split(' ').every((word) => words.includes(word)))
  return own.filter((name) => !own.some((other) => other !== name && ` ${other} `.includes(` ${name} `)))
}

/**
 * What is known of characters, from a folder as `data/cast`: `boundaries.json` names each with its folder and the names of
 * its world, `SLUG/facts.json` are its facts.
 *
 * @returns by the name in the pack.
 * @throws HycoraError `usage` or `format-invalid` naming the file.
 */
export async function readSheets(folder: string): Promise<ReadonlyMap<string, RoleSheet>> {
  const path = join(folder, 'boundaries.json')
  const all = await readJson(path)
  check(isJsonRecord(all), 'format-invalid', () => `${path} is no object of characters`)
  const sheets = Object.entries(all).map(async ([role, entry]): Promise<[string, RoleSheet]> => {
    const [slug, names] = isJsonRecord(entry) ? [ownField(entry, 'slug'), ownField(entry, 'names')] : []
    check(typeof slug === 'string' && /^[\w-]+$/.test(slug), 'format-invalid', () => {
      return `${path} names no folder of ${role}`
    })
    const world = Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
    const file = join(folder, slug, 'facts.json')
    return [role, { facts: readFacts(await readJson(file), file), names: ownNames(role, world) }]
  })
  return new Map(await Promise.all(sheets))
}

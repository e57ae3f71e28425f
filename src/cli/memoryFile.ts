import { createHash } from 'node:crypto'
import { appendFileSync, truncateSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { asHycoraError, check, HycoraError } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import type { Pack } from '../formats/pack.ts'
import type { Memory, MemoryKey } from '../evaluate/memory.ts'
import { remindersOf } from '../play/reminders.ts'

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** What a pack computes with: its numbers and whatever else decides an answer, what roles are reminded of with it. */
function packDigest(pack: Pack): string {
  const books = pack.roles.map((role) => remindersOf(role)?.books ?? null)
  const hash = createHash('sha256').update(JSON.stringify([pack.config, [...pack.config.dims]]))
  if (books.some((book) => book !== null)) hash.update(JSON.stringify(books))
  for (const name of [...pack.tensors.keys()].toSorted()) hash.update(name).update(pack.tensor(name))
  return hash.digest('hex')
}

/**
 * A file that remembers what runs have computed, a line a result; the results of other backbones, engines and packs may
 * stand in it too. A line that was cut off by a crash is left out.
 *
 * @throws HycoraError `usage` for a file that holds something else, or cannot be written.
 */
export async function openMemory(
  path: string,
  { backbone, pack }: { readonly backbone: string; readonly pack: Pack },
): Promise<Memory> {
  const file = resolve(path)
  const known = new Map<string, unknown>()
  const text = await readFile(file, 'utf8').catch(() => '')
  // Behind the last end of a line stands nothing, or what a crash cut off.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  for (const [index, line] of whole.split('\n').slice(0, -1).entries()) {
    const entry = entryOf(line)
    check(entry, 'usage', () => `${path}:${index + 1} is no line of a memory`)
    known.set(...entry)
  }
  check(whole !== '' || text === '', 'usage', () => `${path} is no memory`)
  const write = (act: () => void): void => {
    try {
      act()
    } catch (error) {
      throw new HycoraError('usage', `${path} cannot be written: ${asHycoraError(error, 'usage').message}`)
    }
  }
  write(() => {
    appendFileSync(file, '')
    if (whole !== text) truncateSync(file, Buffer.byteLength(whole))
  })
  const played = packDigest(pack)
  const idOf = ({ kind, casting, asked }: MemoryKey): string =>
    digest(JSON.stringify([backbone, casting === null ? null : played, kind, casting, asked]))
  return {
    recall: (key) => known.get(idOf(key)),
    keep(key, value) {
      const id = idOf(key)
      known.set(id, value)
      write(() => appendFileSync(file, `${JSON.stringify({ id, value })}\n`))
    },
  }
}

function entryOf(line: string): [string, unknown] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    return undefined
  }
  const id = isJsonRecord(parsed) ? ownField(parsed, 'id') : undefined
  return isJsonRecord(parsed) && typeof id === 'string' ? [id, ownField(parsed, 'value')] : undefined
}

import { check } from '../core/errors.ts'
import { isJsonRecord } from '../core/json.ts'

/** A hub of models that this site may ask. */
export interface Hub {
  readonly name: string
  /** Without a slash at its end. */
  readonly url: string
}

/**
 * The hubs of a site, out of `models/hubs.json`, whose hosts the site's headers allow.
 *
 * @throws HycoraError `format-invalid` naming the first field that is wrong.
 */
export function parseHubs(json: unknown): readonly Hub[] {
  check(Array.isArray(json), 'format-invalid', () => 'models/hubs.json is not a list of hubs')
  return json.map((entry: unknown, index) => {
    const where = `models/hubs.json[${index}]`
    check(isJsonRecord(entry), 'format-invalid', () => `${where} is not an object`)
    const { name, url } = entry
    check(typeof name === 'string' && name !== '', 'format-invalid', () => `${where}.name is not a text`)
    check(
      typeof url === 'string' && /^https?:\/\/[^/\s]+$/.test(url),
      'format-invalid',
      () => `${where}.url is not the address of a hub, without a path`,
    )
    return { name, url }
  })
}

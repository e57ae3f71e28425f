import { check } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import { isRepositoryName } from './repository.ts'

/** A published model that is worth a look. */
export interface CatalogueEntry {
  readonly repository: string
  /** What it is good at, in a few words. */
  readonly about: string
  readonly languages: string
  /** `model_type` of its config.json, which decides who computes it. */
  readonly family: string
  readonly licence: string
  readonly licenceUrl: string
  /** Whether the hub gives it only to those who have accepted its terms. */
  readonly isGated: boolean
}

/**
 * The small language models in `models/catalogue.json`. Their repositories were not reached when the list was made: what is
 * there, and under what licence, the hub itself says before anything is fetched.
 *
 * @throws HycoraError `format-invalid` naming the first field that is wrong.
 */
export function parseCatalogue(json: unknown): readonly CatalogueEntry[] {
  check(Array.isArray(json), 'format-invalid', () => 'models/catalogue.json is not a list of models')
  return json.map((entry: unknown, index) => {
    const where = `models/catalogue.json[${index}]`
    check(isJsonRecord(entry), 'format-invalid', () => `${where} is not an object`)
    const text = (key: string): string => {
      const value = ownField(entry, key)
      check(
        typeof value === 'string' && value !== '',
        'format-invalid',
        () => `${where}.${key} is not a text`,
      )
      return value
    }
    const [repository, licenceUrl] = [text('repository'), text('licenceUrl')]
    const isGated = ownField(entry, 'isGated')
    check(isRepositoryName(repository), 'format-invalid', () => `${where}.repository is not OWNER/NAME`)
    check(
      licenceUrl.startsWith('https://'),
      'format-invalid',
      () => `${where}.licenceUrl is not an address that begins with https`,
    )
    check(typeof isGated === 'boolean', 'format-invalid', () => `${where}.isGated is neither true nor false`)
    return {
      repository,
      about: text('about'),
      languages: text('languages'),
      family: text('family'),
      licence: text('licence'),
      licenceUrl,
      isGated,
    }
  })
}

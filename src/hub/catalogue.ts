import { check } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { isRepositoryName } from './repository.ts'

/**
 * What of a model our kernels were tried with: `model`: its own weights; `family`: small decoders that are built as it is, with
 * random weights; `nothing`.
 */
export const TRIED = ['model', 'family', 'nothing'] as const

/** The forms of weights that something was tried in, as the names of files say them. */
export const TRIED_FORMS = ['fp32', 'fp16', 'q4', 'q4f16', 'int8', 'uint8', 'bnb4'] as const

export interface Tried {
  readonly what: (typeof TRIED)[number]
  readonly forms: readonly (typeof TRIED_FORMS)[number][]
}

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
  /** Whether its repository is known to have ONNX files; where not, somebody has to export it first. */
  readonly hasOnnx: boolean
  readonly tried: Tried
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
    const flag = (key: string): boolean => {
      const value = ownField(entry, key)
      check(typeof value === 'boolean', 'format-invalid', () => `${where}.${key} is neither true nor false`)
      return value
    }
    check(isRepositoryName(repository), 'format-invalid', () => `${where}.repository is not OWNER/NAME`)
    check(
      licenceUrl.startsWith('https://'),
      'format-invalid',
      () => `${where}.licenceUrl is not an address that begins with https`,
    )
    return {
      repository,
      about: text('about'),
      languages: text('languages'),
      family: text('family'),
      licence: text('licence'),
      licenceUrl,
      isGated: flag('isGated'),
      hasOnnx: flag('hasOnnx'),
      tried: parseTried(ownField(entry, 'tried'), `${where}.tried`),
    }
  })
}

function parseTried(json: unknown, where: string): Tried {
  check(isJsonRecord(json), 'format-invalid', () => `${where} is not an object`)
  const what = TRIED.find((one) => one === ownField(json, 'what'))
  check(what !== undefined, 'format-invalid', () => `${where}.what is none of ${TRIED.join(', ')}`)
  const forms = formsIn(json, where)
  const isSaid = (what === 'nothing') === (forms.length === 0)
  check(isSaid, 'format-invalid', () => `${where} names forms of nothing, or no form of what was tried`)
  return { what, forms }
}

function formsIn(json: JsonRecord, where: string): Tried['forms'] {
  const forms = ownField(json, 'forms')
  check(Array.isArray(forms), 'format-invalid', () => `${where}.forms is not a list`)
  return forms.map((form: unknown) => {
    const known = TRIED_FORMS.find((one) => one === form)
    check(
      known !== undefined,
      'format-invalid',
      () => `${where}.forms has what is none of ${TRIED_FORMS.join(', ')}`,
    )
    return known
  })
}

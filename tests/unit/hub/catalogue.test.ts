import { expect, test } from 'vitest'

import measured from '../../../scale/experiments/forms.json' with { type: 'json' }
import catalogue from '../../../public/models/catalogue.json' with { type: 'json' }
import { parseCatalogue } from '../../../src/hub/catalogue.ts'
import { KERNEL_FAMILIES } from '../../../src/hub/modelFit.ts'
import { MEASURED_FORMS, TRIED_FAMILIES } from '../../support/triedModels.ts'

const [first] = catalogue

interface MeasuredForm {
  readonly nmse?: number | null
  readonly nmseUnrounded?: number | null
}

test('the catalogue names models of several families and sizes, each once', () => {
  const entries = parseCatalogue(catalogue)
  expect(entries).toEqual(catalogue)
  expect(new Set(entries.map(({ repository }) => repository)).size).toBe(entries.length)
  const families = [...new Set(entries.map(({ family }) => family))]
  expect(families.length).toBeGreaterThan(4)
  // What most of them are is computed by our kernels, so that characters can be taught to them.
  const taught = entries.filter(({ family }) => KERNEL_FAMILIES.includes(family))
  expect(taught.length).toBeGreaterThan(entries.length / 2)
})

test('what it says was tried of a model itself was measured', () => {
  const forms = parseCatalogue(catalogue).flatMap(({ repository, tried }) =>
    tried.what === 'model' ? tried.forms.map((form) => [repository, form] as const) : [],
  )
  expect(forms.length).toBeGreaterThan(0)
  const results: Readonly<Record<string, MeasuredForm>> = measured
  for (const [repository, form] of forms) {
    // No other model's weights are here.
    expect(repository).toBe('HuggingFaceTB/SmolLM2-135M-Instruct')
    const result = results[MEASURED_FORMS[form] ?? '']
    // Of forms that round on the way, against the same weights by what is not rounded.
    const exact = { ...result, nmse: result?.nmseUnrounded ?? result?.nmse }
    const isRight = { reason: null, isSameBackbone: true, nmse: expect.closeTo(0, 5) as number }
    expect([form, exact]).toMatchObject([form, isRight])
  }
})

test('of each family of which it says that decoders like it were tried, one is there to be tried', () => {
  const families = parseCatalogue(catalogue)
    .filter(({ tried }) => tried.what === 'family')
    .map(({ family }) => family)
  expect(Object.keys(TRIED_FAMILIES)).toEqual(expect.arrayContaining(families))
})

test.each([
  [null, /is not a list of models/],
  [[1], /\[0\] is not an object/],
  [[{ ...first, repository: '../x' }], /\[0\]\.repository is not OWNER\/NAME/],
  [[first, { ...first, about: '' }], /\[1\]\.about is not a text/],
  [[{ ...first, licenceUrl: 'javascript:0' }], /\[0\]\.licenceUrl is not an address/],
  [[{ ...first, isGated: 'no' }], /\[0\]\.isGated is neither/],
  [[{ ...first, hasOnnx: undefined }], /\[0\]\.hasOnnx is neither/],
  [[{ ...first, tried: 'yes' }], /\[0\]\.tried is not an object/],
  [[{ ...first, tried: { what: 'hoped', forms: [] } }], /\.tried\.what is none of model, family, nothing/],
  [[{ ...first, tried: { what: 'model', forms: ['q3'] } }], /\.tried\.forms has what is none of fp32/],
  [[{ ...first, tried: { what: 'model' } }], /\.tried\.forms is not a list/],
  [[{ ...first, tried: { what: 'family', forms: [] } }], /no form of what was tried/],
  [[{ ...first, tried: { what: 'nothing', forms: ['q4'] } }], /names forms of nothing/],
])('%j is no catalogue', (json, message) => {
  expect(() => parseCatalogue(json)).toThrow(message)
})

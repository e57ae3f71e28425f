import { expect, test } from 'vitest'

import catalogue from '../../../public/models/catalogue.json' with { type: 'json' }
import { parseCatalogue } from '../../../src/hub/catalogue.ts'
import { KERNEL_FAMILIES } from '../../../src/hub/modelFit.ts'

const [first] = catalogue

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

test.each([
  [null, /is not a list of models/],
  [[1], /\[0\] is not an object/],
  [[{ ...first, repository: '../x' }], /\[0\]\.repository is not OWNER\/NAME/],
  [[first, { ...first, about: '' }], /\[1\]\.about is not a text/],
  [[{ ...first, licenceUrl: 'javascript:0' }], /\[0\]\.licenceUrl is not an address/],
  [[{ ...first, isGated: 'no' }], /\[0\]\.isGated is neither/],
])('%j is no catalogue', (json, message) => {
  expect(() => parseCatalogue(json)).toThrow(message)
})

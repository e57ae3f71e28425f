import { describe, test } from 'vitest'

import catalogue from '../../../public/models/catalogue.json' with { type: 'json' }
import { parseCatalogue, TRIED_FORMS } from '../../../src/hub/catalogue.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { expectClose } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { triedDecoder } from '../../support/triedModels.ts'

const IDS = [3, 39, 17, 0, 22, 22, 8, 5]

const claims = parseCatalogue(catalogue).filter(({ tried }) => tried.what === 'family')
const families = [...new Set(claims.map(({ family }) => family))].map((family) => {
  const own = claims.filter((entry) => entry.family === family)
  const forms = TRIED_FORMS.filter((form) => own.some(({ tried }) => tried.forms.includes(form)))
  return [family, forms] as const
})

// What the catalogue says was tried is what is tried here.
describe.each(families)('a small decoder that is built as %s is', (family, forms) => {
  test.each(forms)('computes what its weights as %s say', async (form) => {
    const { graph, config } = triedDecoder(family, form)
    const decoder = await recogniseBytes(writeOnnx(graph), config)
    const backbone = await GpuBackbone.create(await testGpu(), decoder)
    const { logits } = referenceForward(await loadReference(decoder), IDS)
    expectClose(await backbone.logits(IDS, null), logits)
    backbone.destroy()
  })
})

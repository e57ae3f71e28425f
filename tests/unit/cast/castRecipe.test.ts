import { expect, test } from 'vitest'

import { chosenOptions, configOf } from '../../../app/stores/teach/config.ts'
import { castRecipe } from '../../../src/cast/castRecipe.ts'
import { readTrainConfig } from '../../../src/train/settings/config.ts'

const [small, large] = [135e6, 1.5e9].map((parameters) => readTrainConfig(castRecipe(parameters)))

test('what teaches the cast to a model is a training file, of smaller steps for a larger model', () => {
  expect(small).toMatchObject({ mode: 'all', steps: 1400, batch: 12, rank: 16, alpha: 64, wordings: 2 })
  expect(small!.hypernetwork.generatorRank).toBe(64)
  expect(small!.contrast.weight).toBe(0.05)
  expect(large!.learningRate).toBe(small!.learningRate / 2)
  expect(large!.learningRateB).toBe(small!.learningRateB / 2)
})

test('the page and the command line teach by the same file', () => {
  const overrides = chosenOptions(castRecipe(135e6))
  const inPage = readTrainConfig(configOf({ way: 'all', role: null, hasStart: false, overrides }))
  expect({ ...inPage, checkpointEvery: small!.checkpointEvery }).toEqual(small)
})

import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { expect, test } from 'vitest'

import { measureLoad } from '../../../src/cli/bench/load.ts'
import { ownGpu } from '../../support/device.ts'

const MODEL = resolve(import.meta.dirname, '../../../public/models/starter')

test('loading is measured by what lay in JavaScript’s memory and on the device', async () => {
  const gpu = await ownGpu()
  const facts = await measureLoad(gpu, new Map([['backbone', MODEL]]), 3)
  gpu.device.destroy()
  const { size } = statSync(join(MODEL, facts.modelFile))
  expect(facts.weightBytes).toBe(size)
  expect(facts.graphicsBytes).toBeGreaterThan(size)
  // A piece of a weight is there at once, and what was read before it until it is collected.
  expect(facts.scriptBytes).toBeGreaterThan(2 ** 20)
  expect(facts.scriptBytes).toBeLessThan(300e6)
  // The whole cache, of both sequences: without either the formula would be far above what was taken.
  expect(facts.bytesOverFormula).toBeGreaterThan(1 / 1.1)
  expect(facts.bytesOverFormula).toBeLessThan(1.1)
  expect(facts.ours).toBeGreaterThan(0)
  expect(facts.tokensPerSecond).toBeGreaterThan(0)
})

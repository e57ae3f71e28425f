import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { trainingProvenance } from '../../../src/train/run/provenance.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const own = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../../package.json'), 'utf8')) as {
  readonly version: string
}
const software = `HyCoRA playground ${own.version}`

test('a pack says how long it was trained, and what the losses were', async () => {
  const start = await readPack(memorySource('start', await writePack(tinyPack())))
  const facts = { replyTokens: 912, firstStep: 4.43712, lastStep: 3.25, heldOut: 3.774449 }
  expect(trainingProvenance(325, facts, start)).toEqual({
    steps: 325,
    replyTokens: 912,
    losses: { unit: 'nats a reply token', firstStep: 4.4371, lastStep: 3.25, heldOut: 3.7744 },
    software,
    parents: [start.sha256],
  })
})

test('what was not measured is not said', () => {
  const unmeasured = { replyTokens: 0, firstStep: null, lastStep: null, heldOut: null }
  expect(trainingProvenance(0, unmeasured, null)).toEqual({ steps: 0, replyTokens: 0, software })
  expect(trainingProvenance(7, {}, null)).toEqual({ steps: 7, software })
})

import { expect, test } from 'vitest'

import { readCheckpoint, writeCheckpoint } from '../../../src/train/run/checkpoint.ts'

test('a checkpoint that comes from a file as a Buffer gives floats that lie where floats may', () => {
  const [state, values] = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5)].map(
    (floats) => new Uint8Array(floats.buffer),
  ) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]
  const facts = { replyTokens: 7, firstStep: 4.5, lastStep: 3.5, heldOut: 4 }
  const best = { step: 2, loss: 4, values }
  const written = writeCheckpoint({ step: 3, run: 'this', rateFactor: 1, facts, startLoss: 5, best, state })
  for (const offset of [0, 1, 2, 3]) {
    const parent = Buffer.alloc(written.length + offset)
    parent.set(written, offset)
    const read = readCheckpoint(parent.subarray(offset), 'this')
    expect([...new Float32Array(read.state.buffer)]).toEqual([1, 2, 3])
    expect([...new Float32Array(read.best!.values.buffer)]).toEqual([4, 5])
    expect({ ...read, state: null, best: null }).toEqual({
      step: 3,
      run: 'this',
      rateFactor: 1,
      facts,
      startLoss: 5,
      best: null,
      state: null,
    })
  }
})

test('a checkpoint of another run, or one that is cut, is refused', () => {
  const facts = { replyTokens: 0, firstStep: null, lastStep: null, heldOut: null }
  const state = new Uint8Array(12)
  const written = writeCheckpoint({
    step: 3,
    run: 'this',
    rateFactor: 1,
    startLoss: null,
    facts,
    best: null,
    state,
  })
  expect(readCheckpoint(written, 'this').step).toBe(3)
  expect(() => readCheckpoint(written, 'that')).toThrow(expect.objectContaining({ code: 'usage' }))
  for (const length of [3, 20, written.length - 1]) {
    const cut = (): unknown => readCheckpoint(written.subarray(0, length), 'this')
    expect(cut).toThrow(expect.objectContaining({ code: 'storage-corrupt' }))
  }
})

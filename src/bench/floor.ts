import { encode } from '../gpu/kernel.ts'
import { createTensor, uploadTensor } from '../gpu/tensor.ts'
import { gatherRows } from '../kernels/gatherRows.ts'
import { timeOf } from './timing.ts'

/** What the device itself can do; the least of several tries, since all else only adds. */
export interface DeviceFloor {
  /** That a copy reads and writes. */
  readonly copyBytesPerSecond: number
  /** One more dispatch that waits for the one before it. */
  readonly dispatchMicroseconds: number
}

/** More than caches hold; a processor that plays a card has so much less to do. */
const COPY_BYTES = { card: 128 * 2 ** 20, software: 8 * 2 ** 20 }
const COPIES = 8
const DISPATCHES = 1000
const TRIES = 5

async function leastOf(measure: () => Promise<number>): Promise<number> {
  let least = Infinity
  for (let turn = 0; turn < TRIES; turn++) least = Math.min(least, await measure())
  return least
}

/** Milliseconds until the device has done what a pass of commands asks of it. */
function timeCommands(device: GPUDevice, record: (encoder: GPUCommandEncoder) => void): Promise<number> {
  return timeOf(async () => {
    const encoder = device.createCommandEncoder()
    record(encoder)
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
  })
}

function nothing(): void {}

/** Measures the floor that a token cannot fall below: bytes at the speed of a copy, dispatches one behind the other. */
export async function measureFloor(device: GPUDevice, isSoftware: boolean): Promise<DeviceFloor> {
  const wanted = isSoftware ? COPY_BYTES.software : COPY_BYTES.card
  const bytes = Math.min(wanted, device.limits.maxStorageBufferBindingSize)
  const [from, to] = [0, 1].map((index) => createTensor(device, [bytes / 4], `copy ${index}`).buffer)
  const index = uploadTensor(device, [1], Uint32Array.of(0), 'first row')
  const rows = [0, 1].map((row) => createTensor(device, [1, 64], `row ${row}`))
  const [first, second] = rows
  if (!from || !to || !first || !second) throw new RangeError('there are two of each')
  const there = await gatherRows(device, { x: first, index, y: second }, { columns: 64 })
  const back = await gatherRows(device, { x: second, index, y: first }, { columns: 64 })

  const empty = await leastOf(() => timeCommands(device, nothing))
  const copying = await leastOf(() =>
    timeCommands(device, (encoder) => {
      for (let copy = 0; copy < COPIES; copy++) encoder.copyBufferToBuffer(from, 0, to, 0, bytes)
    }),
  )
  const dispatching = await leastOf(() =>
    timeCommands(device, (encoder) => {
      const pass = encoder.beginComputePass()
      for (let turn = 0; turn < DISPATCHES; turn++) encode(pass, turn % 2 === 0 ? there : back, 1)
      pass.end()
    }),
  )
  for (const buffer of [from, to, index.buffer, ...rows.map((row) => row.buffer)]) buffer.destroy()
  // An empty submit may take longer than the work of a fast card: then the whole time counts.
  const net = (all: number): number => (all > 2 * empty ? all - empty : all)
  return {
    copyBytesPerSecond: (1000 * 2 * COPIES * bytes) / net(copying),
    dispatchMicroseconds: (1000 * net(dispatching)) / DISPATCHES,
  }
}

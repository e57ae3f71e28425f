import { expect, test } from 'vitest'

import { GREEDY } from '../../src/core/sampling.ts'
import { requestAdapter, requestDevice } from '../../src/gpu/device.ts'
import { GpuBackbone } from '../../src/model/gpu/gpuBackbone.ts'
import { DEVICE_FAULTS } from '../support/deviceFaults.ts'
import { writeOnnx } from '../support/onnxWriter.ts'
import { recogniseBytes } from '../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../support/tinyDecoder.ts'

const request = {
  ids: [3, 39, 17, 0, 22, 22, 8],
  casting: null,
  sampling: GREEDY,
  maxTokens: 12,
  stopIds: [],
}
/** Of real memory a browser that runs tests is not to take all. */
const faults = DEVICE_FAULTS.filter(({ code }) => code !== 'out-of-memory')

test.each([1, 2])(
  'in the browser a fault ends an answer within a token, %d steps ahead',
  async (stepsAhead) => {
    const adapter = await requestAdapter(navigator.gpu)
    const found = await requestDevice(adapter!)
    const gpu = { ...found, tuning: { ...found.tuning, stepsAhead } }
    const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
    const backbone = await GpuBackbone.create(gpu, decoder)
    const whole: number[] = []
    for await (const id of backbone.generate(request)) whole.push(id)
    for (const { code, inject } of faults) {
      for (let before = 0; before < 8; before++) {
        const answer = backbone.generate(request)
        const said: number[] = []
        while (said.length < before) said.push((await answer.next()).value as number)
        inject(gpu.device)
        const after = async (): Promise<void> => {
          for await (const id of answer) said.push(id)
        }
        await expect(after()).rejects.toMatchObject({ code })
        expect(said.length).toBeLessThanOrEqual(before + 1)
        expect(said).toEqual(whole.slice(0, said.length))
      }
    }
    const again: number[] = []
    for await (const id of backbone.generate(request)) again.push(id)
    expect(again).toEqual(whole)
    gpu.device.destroy()
  },
  300_000,
)

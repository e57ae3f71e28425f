import type { TunedDevice } from '../../src/gpu/tuning.ts'
import type { Decoder } from '../../src/model/decoder/decoder.ts'
import { loadWeights } from '../../src/model/gpu/gpuWeights.ts'
import { readTrainConfig } from '../../src/train/settings/config.ts'
import { prepareRun, rowBatches } from '../../src/train/run/prepare.ts'
import { runTraining } from '../../src/train/run/run.ts'
import type { RunEvent, RunResult } from '../../src/train/run/run.ts'
import { writeOnnx } from './onnxWriter.ts'
import { recogniseBytes } from './tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from './tinyDecoder.ts'

/** Eight steps of training on a tiny decoder, on a device of the test's own. */
export async function tinyRun(
  gpu: TunedDevice,
  given?: Decoder,
  bandBytes?: number,
): Promise<AsyncGenerator<RunEvent, RunResult>> {
  const decoder = given ?? (await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG))
  const weights = await loadWeights(gpu.device, decoder, () => undefined, bandBytes)
  const config = readTrainConfig({
    steps: 8,
    batch: 2,
    warmup: 0,
    rank: 2,
    sources: { A: 'shared', B: 'shared' },
  })
  const ground = { config, decoder, fingerprint: 'a backbone', start: null }
  const { trainee, run } = await prepareRun(ground, ['Ada'], 'test rows')
  const rows = Array.from({ length: 4 }, (_, row) => ({
    role: 'Ada',
    ids: Array.from({ length: 6 }, (__, at) => (7 * row + 3 * at + 1) % 40),
    isReply: Array.from({ length: 6 }, (__, at) => at > 2),
    anchor: 5,
    cut: { turns: 0, tokens: 0 },
  }))
  const batches = rowBatches(rows, [], trainee, config)
  return runTraining({ gpu, decoder, weights, trainee, config, batches, run, checkpoint: null }, {})
}

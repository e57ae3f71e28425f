import { beforeAll, describe, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { readBatches } from '../../../src/cli/trainingData.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { loadWeights } from '../../../src/model/gpu/gpuWeights.ts'
import type { GpuWeights } from '../../../src/model/gpu/gpuWeights.ts'
import { readTrainConfig } from '../../../src/train/settings/config.ts'
import { prepareRun, rowBatches } from '../../../src/train/run/prepare.ts'
import { runTraining } from '../../../src/train/run/run.ts'
import type { RunEvent, RunResult } from '../../../src/train/run/run.ts'
import type { TokenRow } from '../../../src/train/data/rows.ts'
import { beginTraining, finishPack } from '../../../src/train/parameters/trainee.ts'
import { Trainer } from '../../../src/train/run/trainer.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

type Step = Extract<RunEvent, { kind: 'step' }>

async function finish(events: AsyncGenerator<RunEvent, RunResult>) {
  const seen: RunEvent[] = []
  for (;;) {
    const { done, value } = await events.next()
    if (done)
      return { seen, result: value, steps: seen.filter((event): event is Step => event.kind === 'step') }
    seen.push(value)
  }
}

describe.skipIf(!hasShared)('a step against PyTorch in float64 (needs the developers’ material)', () => {
  test('every gradient', async () => {
    const gpu = await testGpu()
    const { device } = gpu
    const { decoder } = await openChatModel(folder(sharedPath('backbone/starter')), {
      model: 'onnx/model.onnx',
    })
    const start = await readPack(
      await fileSource(sharedPath('golden/backbone/train-start.hycora.safetensors')),
    )
    const path = sharedPath('golden/backbone/train-golden.safetensors')
    const { tensors: golden } = await readTensors(path)
    const batches = await readBatches(path)
    const config = readTrainConfig({ clip: 0, contrast: { form: 'batch' } }, start.config)
    const trainee = beginTraining(config, decoder, ['Captain', 'Gardener', 'Oracle'], start)
    const weights = await loadWeights(device, decoder, () => undefined)
    const trainer = await Trainer.create(gpu, decoder, weights, trainee, {
      config,
      limits: batches.limits,
    })
    await trainer.step({ step: 0, batches: batches.at(0), lambda: 0.3, rateFactor: 1 })
    // Behind the values lie the first moments: after one step without clipping, a tenth of the gradients.
    const state = await trainer.readState()
    const moments = trainer.tensorsOf(state.slice(state.length / 3, (2 * state.length) / 3))
    trainer.destroy()
    const errors = [...golden].flatMap(([name, { values }]) => {
      if (!name.startsWith('grad.')) return []
      const gradient = moments.get(name.slice('grad.'.length))!.map((moment) => moment / (1 - 0.9))
      return [{ name, error: Math.sqrt(nmse(gradient, values)) }]
    })
    expect(errors).toHaveLength(53)
    expect(errors.filter(({ error }) => error > 1e-4)).toEqual([])
  })
})

describe('runs on a tiny decoder', () => {
  let decoder: Decoder
  let weights: GpuWeights
  const rows = Array.from({ length: 9 }, (_, index): TokenRow => {
    const ids = Array.from({ length: 6 + (index % 3) }, (__, at) => (7 * index + 3 * at + 1) % 40)
    const isReply = Array.from(ids.keys(), (at) => at > 2)
    return {
      role: ['Ada', 'Bo', 'Cy'][index % 3]!,
      ids,
      isReply,
      anchor: ids.length - 1,
      cut: { turns: 0, tokens: 0 },
    }
  })
  const settings = {
    steps: 8,
    batch: 3,
    learningRate: 0.01,
    warmup: 0,
    rank: 2,
    alpha: 4,
    checkpointEvery: 4,
    dropout: 0.1,
    hypernetwork: { roleEmbedding: 8, layerEmbedding: 8, hidden: 16, residualBlocks: 1, generatorRank: 4 },
  }

  beforeAll(async () => {
    decoder = await recogniseBytes(writeOnnx(tinyDecoder({})), TINY_CONFIG)
    weights = await loadWeights(await testDevice(), decoder, () => undefined)
  })

  async function start(
    changes: Record<string, unknown>,
    checkpoint: Uint8Array | null = null,
    signal?: AbortSignal,
    fingerprint = 'a backbone',
  ) {
    const config = readTrainConfig({ ...settings, ...changes })
    const ground = { config, decoder, fingerprint, start: null }
    const { trainee, run } = await prepareRun(ground, ['Ada', 'Bo', 'Cy'], 'test rows')
    const batches = rowBatches(rows, rows.slice(0, 2), trainee, config)
    const gpu = await testGpu()
    const input = { gpu, decoder, weights, trainee, config, batches, run, checkpoint }
    return runTraining(input, signal ? { signal } : {})
  }

  const GRID = ['shared', 'table', 'hyper', 'hyper+static'].flatMap((A) =>
    ['shared', 'table', 'hyper'].map((B) => [A, B] as const),
  )
  test.each(GRID)('A %s with B %s: begins at the bare backbone, then the loss falls', async (A, B) => {
    const { steps } = await finish(
      await start({ sources: { A, B }, steps: 16, dropout: 0, checkpointEvery: 16 }),
    )
    const last = steps.slice(-3).reduce((sum, step) => sum + step.crossEntropy / 3, 0)
    const first = steps.slice(0, 3).reduce((sum, step) => sum + step.crossEntropy / 3, 0)
    const [bare] = (await finish(await start({ steps: 1, sources: { A: 'shared', B: 'shared' } }))).steps
    expect(steps[0]!.crossEntropy).toBeCloseTo(bare!.crossEntropy, 5)
    expect(last).toBeLessThan(first)
    expect(steps.every(({ isSkipped }) => !isSkipped)).toBe(true)
  })

  test('the same seed gives the same bytes, and a run that was stopped those of one that was not', async () => {
    const whole = await finish(await start({}))
    const again = await finish(await start({}))
    expect(again.result).toEqual(whole.result)
    const measured = whole.seen.findLast((event) => event.kind === 'held-out')
    expect(whole.result.facts).toEqual({
      replyTokens: whole.steps.reduce((sum, { replyTokens }) => sum + replyTokens, 0),
      firstStep: whole.steps[0]!.crossEntropy,
      lastStep: whole.steps[7]!.crossEntropy,
      heldOut: measured?.loss,
    })

    const controller = new AbortController()
    const stopped = await start({}, null, controller.signal)
    let checkpoint: Uint8Array | null = null
    let partly: RunResult | undefined
    while (!partly) {
      const { done, value } = await stopped.next()
      if (done) {
        partly = value
        continue
      }
      if (value.kind === 'step' && value.step === 5) controller.abort()
      if (value.kind === 'checkpoint') checkpoint = value.bytes
    }
    // It stopped between two measurements.
    expect(partly.facts).toMatchObject({ lastStep: whole.steps[4]!.crossEntropy, heldOut: null })
    const resumed = await finish(await start({}, checkpoint))
    expect(resumed.steps.map(({ step }) => step)).toEqual([6, 7, 8])
    expect(resumed.result).toEqual(whole.result)
    const last = whole.seen.findLast((event) => event.kind === 'checkpoint')!
    expect((await finish(await start({}, last.bytes))).result).toEqual(whole.result)
  })

  test('what is held out is measured before the first step, once an epoch, and at the end', async () => {
    const { seen, result } = await finish(await start({ checkpointEvery: 100, dropout: 0 }))
    const looks = seen.flatMap((event) => (event.kind === 'held-out' ? [event] : []))
    // Nine rows in batches of three.
    expect(looks.map(({ step }) => step)).toEqual([0, 3, 6, 8])
    const lowest = looks.slice(1).reduce((best, look) => (look.loss < best.loss ? look : best))
    expect(result.best).toMatchObject({ step: lowest.step, loss: lowest.loss })
    expect(lowest.isBest).toBe(lowest.loss < looks[0]!.loss)
  })

  test('a best step that is no better than the start is told', async () => {
    const worse = { learningRate: 1, weightDecay: 3, schedule: 'constant', steps: 3, dropout: 0 }
    const { seen } = await finish(await start({ ...worse, checkpointEvery: 1 }))
    const notes = seen.flatMap((event) => (event.kind === 'note' ? [event.message] : []))
    expect(notes.join()).toContain('no step is better than the start')
    expect(seen.some((event) => event.kind === 'held-out' && event.step > 0 && event.isBest)).toBe(false)
  })

  test('a run in which nothing is learnt is ended, with its reason', async () => {
    const fresh = beginTraining(readTrainConfig(settings), decoder, ['Ada'], null)
    const backbone = { name: 'tiny', architecture: 'llama', fingerprint: '' }
    const bytes = await finishPack(fresh, fresh.tensors, backbone, {})
    const pack = await readPack(memorySource('a pack whose B is zero', bytes))
    // Whatever a role's vector is, behind such a B it changes nothing.
    const still = { ...settings, mode: 'quick', role: 'Ada', contrast: { form: 'off' }, dropout: 0 }
    const config = readTrainConfig(still, pack.config)
    const { trainee, run } = await prepareRun(
      { config, decoder, fingerprint: '', start: pack },
      ['Ada'],
      'rows',
    )
    const batches = rowBatches(
      rows.filter(({ role }) => role === 'Ada'),
      [],
      trainee,
      config,
    )
    const input = { gpu: await testGpu(), decoder, weights, trainee, config, batches, run, checkpoint: null }
    const steps: Step[] = []
    const ended = (async () => {
      for await (const event of runTraining(input)) if (event.kind === 'step') steps.push(event)
    })()
    await expect(ended).rejects.toThrow(/from step 1 on the gradient is zero.*smaller learning rate/)
    expect(steps.map(({ gradientNorm }) => gradientNorm)).toEqual([0, 0, 0])
  })

  test('the best parameters survive a stop, also where nothing after it is better', async () => {
    // Such a decay multiplies every parameter by −2 a step, which the held-out rows only get worse by.
    const wild = { learningRate: 1, weightDecay: 3, schedule: 'constant', checkpointEvery: 1, dropout: 0 }
    const whole = await finish(await start(wild))
    const best = whole.result.best!
    expect(best.step).toBeLessThan(8)
    const saved = whole.seen.filter((event) => event.kind === 'checkpoint')
    const resumed = await finish(await start(wild, saved.at(-2)!.bytes))
    expect(resumed.steps).toHaveLength(1)
    expect(resumed.result.best).toEqual(best)
  })

  test('rows in rounds of one are the same step as rows at once', async () => {
    const plain = { steps: 2, dropout: 0, contrast: { form: 'off' } }
    const atOnce = await finish(await start({ ...plain, batch: 3 }))
    const inRounds = await finish(await start({ ...plain, batch: 1, accumulate: 3 }))
    inRounds.steps.forEach((step, index) => {
      expect(step.crossEntropy).toBeCloseTo(atOnce.steps[index]!.crossEntropy, 4)
      expect(step.gradientNorm / atOnce.steps[index]!.gradientNorm).toBeCloseTo(1, 3)
    })
  })

  test('steps without a finite gradient are not applied; the run goes back, halves the rate, and gives up', async () => {
    const { seen } = await finish(await start({ steps: 8 }))
    const { bytes } = seen.find((event) => event.kind === 'checkpoint')!
    const end = 4 + new DataView(bytes.buffer).getUint32(0, true)
    new DataView(bytes.buffer).setFloat32(end, NaN, true)
    const events: RunEvent[] = []
    const run = await start({ steps: 8 }, bytes)
    await expect(
      (async () => {
        for await (const event of run) events.push(event)
      })(),
    ).rejects.toThrow('from step 4 on the gradients are not finite')
    const steps = events.filter((event): event is Step => event.kind === 'step')
    expect(steps.every(({ isSkipped }) => isSkipped)).toBe(true)
    expect(steps.slice(0, 4).map(({ step }) => step)).toEqual([5, 6, 7, 5])
    expect(steps[3]!.learningRate).toBeCloseTo(steps[0]!.learningRate / 2, 12)
    expect(events.filter(({ kind }) => kind === 'note')).toHaveLength(6)
  })

  test('a run that comes apart before its first checkpoint goes back to the beginning', async () => {
    // Such a decay multiplies every parameter by −19 a step, until the rate is small enough.
    const wild = { steps: 16, learningRate: 1, weightDecay: 20, schedule: 'constant', checkpointEvery: 100 }
    const { seen, steps, result } = await finish(await start({ ...wild, dropout: 0 }))
    const skipped = steps.findIndex(({ isSkipped }) => isSkipped)
    expect(skipped).toBeGreaterThan(3)
    const notes = seen.flatMap((event) => (event.kind === 'note' ? [event.message] : []))
    expect(notes.some((note) => note.includes('back to step 0, at half the learning rate'))).toBe(true)
    const again = steps[skipped + 3]!
    expect(again).toMatchObject({ step: 1, crossEntropy: steps[0]!.crossEntropy })
    expect(again.learningRate).toBeCloseTo(steps[0]!.learningRate / 2, 12)
    expect(result).toMatchObject({ isFinished: true, facts: { firstStep: steps[0]!.crossEntropy } })
  })

  test('a checkpoint of another run is refused', async () => {
    const { seen } = await finish(await start({ steps: 4 }))
    const saved = seen.findLast((event) => event.kind === 'checkpoint')!
    await expect(finish(await start({ steps: 5 }, saved.bytes))).rejects.toThrow('another run')
    const elsewhere = await start({ steps: 4 }, saved.bytes, undefined, 'another backbone')
    await expect(finish(elsewhere)).rejects.toThrow('another run')
    await expect(finish(await start({ steps: 4 }, saved.bytes.slice(0, -8)))).rejects.toThrow('damaged')
  })
})

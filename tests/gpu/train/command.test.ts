import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { fileSource } from '../../../src/cli/files.ts'
import { train } from '../../../src/cli/train.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { nmse } from '../../support/compare.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hycora-train-'))
})

afterAll(() => rm(scratch, { recursive: true }))

const into = (lines: string[]) => (text: unknown) => lines.push(String(text)) > 0

/** Runs the command; its lines on stdout, and its notes on stderr. */
async function run(options: Readonly<Record<string, string>>, ...flags: readonly string[]) {
  const [out, notes] = [new Array<string>(), new Array<string>()]
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(into(out)),
    vi.spyOn(process.stderr, 'write').mockImplementation(into(notes)),
  ]
  try {
    await train([...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]), ...flags])
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  const lines = out.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { steps: lines.filter((line) => 'crossEntropy' in line), notes: notes.join('') }
}

async function writeConfig(config: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(scratch, 'config.json')
  await writeFile(path, JSON.stringify(config))
  return path
}

describe.skipIf(!hasShared)('given batches (needs the developers’ material)', () => {
  test('ten lines and the parameters after the last step are those of PyTorch in float64', async () => {
    const config = await writeConfig({
      steps: 10,
      learningRate: 2e-3,
      schedule: 'constant',
      warmup: 0,
      weightDecay: 0.01,
      contrast: { form: 'batch', weight: 0.3, schedule: 'none' },
    })
    const batches = sharedPath('golden/backbone/train-golden.safetensors')
    const out = join(scratch, 'replayed.safetensors')
    const { steps } = await run({
      backbone: sharedPath('backbone/starter'),
      model: 'onnx/model.onnx',
      start: sharedPath('golden/backbone/train-start.hycora.safetensors'),
      batches,
      config,
      out,
    })
    const { tensors: golden } = await readTensors(batches)
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    for (const name of ['crossEntropy', 'contrast', 'loss', 'gradientNorm']) {
      const expected = golden.get(name)!.values
      const errors = steps.map((step, index) => Math.abs(Number(step[name]) / expected[index]! - 1))
      expect(errors.filter((error) => error > 1e-4)).toEqual([])
    }
    const pack = await readPack(await fileSource(out))
    const errors = [...golden].flatMap(([name, { values }]) => {
      if (!name.startsWith('after.')) return []
      return [{ name, error: Math.sqrt(nmse(pack.tensor(name.slice('after.'.length)), values)) }]
    })
    expect(errors).toHaveLength(5)
    expect(errors.filter(({ error }) => error > 1e-3)).toEqual([])
  })
})

describe('a data set', () => {
  const backbone = resolve(import.meta.dirname, '../../../public/models/starter')
  const small = {
    steps: 2,
    batch: 2,
    rank: 2,
    checkpointEvery: 1,
    targets: ['q'],
    hypernetwork: { roleEmbedding: 4, layerEmbedding: 4, hidden: 8, residualBlocks: 1, generatorRank: 2 },
  }

  test('rows without a name become a role’s; a run that goes on needs its own checkpoint', async () => {
    const data = join(scratch, 'rows.jsonl')
    const rows = ['Who?', 'Where?', 'Why?', 'When?'].map((instruction) => ({
      instruction,
      output: 'Mind me.',
    }))
    await writeFile(data, rows.map((row) => JSON.stringify(row)).join('\n'))
    const config = await writeConfig({ ...small, system: 'You are {name}.' })
    const out = join(scratch, 'taught.safetensors')
    const options = { backbone, data, config, out, role: 'Brine' }
    await expect(run(options, '--resume')).rejects.toThrow(`--resume needs ${out}.checkpoint`)
    const { steps } = await run(options)
    expect(steps.map(({ step }) => step)).toEqual([1, 2])
    const { roles } = await readPack(await fileSource(out))
    expect(roles).toEqual([{ name: 'Brine', card: null, system: 'You are Brine.', blend: null }])
    const first = await readFile(out)
    expect((await run(options, '--resume')).steps).toEqual([])
    expect(await readFile(out)).toEqual(first)
    await writeConfig({ ...small, seed: 1 })
    await expect(run(options, '--resume')).rejects.toThrow('the checkpoint belongs to another run')
    await writeConfig({ ...small, mode: 'full', role: 'Cook' })
    await expect(run({ ...options, start: out })).rejects.toThrow('teaches Cook, of whom the data has no row')
  })
})

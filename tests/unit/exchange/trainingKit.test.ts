import { expect, test } from 'vitest'

import { readDataset } from '../../../src/formats/dataset.ts'
import { readZip } from '../../../src/formats/zip.ts'
import { writeTrainingKit } from '../../../src/exchange/trainingKit.ts'
import type { TrainingKit } from '../../../src/exchange/trainingKit.ts'
import { readTrainConfig } from '../../../src/train/settings/config.ts'

const kit: TrainingKit = {
  name: 'captain-brine',
  source: { kind: 'shipped', folder: 'public/models/starter' },
  roles: ['Captain Brine'],
  dialogues: (['train', 'test'] as const).map((split) => ({
    role: 'Captain Brine',
    split,
    turns: [
      { speaker: 'user', text: `Hello, ${split}.` },
      { speaker: 'role', text: 'Mind the “wet” rope.\nAye.' },
    ],
  })),
  config: { steps: 20, mode: 'full', role: 'Captain Brine', batch: 2 },
  start: { name: 'The cast', file: new Blob([Uint8Array.of(1, 2, 3)]) },
}

const open = async (written: TrainingKit): Promise<ReadonlyMap<string, Uint8Array>> => {
  const bytes = new Uint8Array(await (await writeTrainingKit(written)).arrayBuffer())
  return readZip(bytes, 'kit.zip', { files: 8, inflatedBytes: 1e6, totalBytes: 1e6 })
}

const text = (files: ReadonlyMap<string, Uint8Array>, name: string): string =>
  new TextDecoder().decode(files.get(name))

test('a kit holds lines with their split, a configuration that is read, and the pack to go on from', async () => {
  const files = await open(kit)
  expect([...files.keys()]).toEqual(['README.md', 'lines.jsonl', 'config.json', 'company.hycora.safetensors'])
  const { dialogues, rejected } = readDataset(text(files, 'lines.jsonl'), 'lines.jsonl')
  expect(rejected).toEqual([])
  expect(dialogues).toMatchObject([
    { role: 'Captain Brine', split: 'train' },
    { split: 'test', turns: [{ speaker: 'user' }, { speaker: 'role', text: 'Mind the “wet” rope.\nAye.' }] },
  ])
  const config = readTrainConfig(JSON.parse(text(files, 'config.json')), null)
  expect(config).toMatchObject({ steps: 20, mode: 'full', role: 'Captain Brine' })
  expect(files.get('company.hycora.safetensors')).toEqual(Uint8Array.of(1, 2, 3))
})

test('its README has the one command, which names every file', async () => {
  expect(text(await open(kit), 'README.md')).toContain(
    '    python -m hycora_scale train --backbone PLAYGROUND/public/models/starter --data lines.jsonl --config config.json --start company.hycora.safetensors --out captain-brine.hycora.safetensors\n',
  )
  expect(text(await open(kit), 'README.md')).toContain("PyTorch's CPU build first, version 2.13.0")
  const alone = text(await open({ ...kit, start: null }), 'README.md')
  expect(alone).not.toContain('--start')
  expect(alone).not.toContain('company')
})

test('a model that was brought is fetched first, or named by whoever has it', async () => {
  const hub = {
    kind: 'hub',
    endpoint: null,
    repository: 'people/model',
    revision: 'v1',
    file: 'onnx/model_q4.onnx',
  } as const
  const fetched = text(await open({ ...kit, source: hub }), 'README.md')
  expect(fetched).toContain(
    '    node PLAYGROUND/tools/hycora.mjs fetch people/model@v1 --variant onnx/model_q4.onnx --into model\n',
  )
  expect(fetched).toContain('train --backbone model --data')
  const other = await open({ ...kit, source: { ...hub, endpoint: 'https://hub.example' } })
  expect(text(other, 'README.md')).toContain('    HF_ENDPOINT=https://hub.example node PLAYGROUND')
  const own = text(await open({ ...kit, source: { kind: 'folder' } }), 'README.md')
  expect(own).toContain('MODEL is the folder of the model that you opened in the page.')
  expect(own).toContain('train --backbone MODEL --data')
})

import { beforeAll, expect, test } from 'vitest'

import type { SplitDialogue } from '../../../src/core/dialogue.ts'
import { loadChatTemplate } from '../../../src/formats/chatTemplate.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack } from '../../../src/formats/pack.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { readTrainConfig } from '../../../src/train/settings/config.ts'
import { prepareRows } from '../../../src/train/run/prepare.ts'
import { beginTraining, finishPack } from '../../../src/train/parameters/trainee.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { starterCodec } from '../../support/starterCodec.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

const codec = starterCodec()
const { tokenizer } = codec

const settings = {
  rank: 2,
  alpha: 4,
  batch: 2,
  steps: 2,
  hypernetwork: { roleEmbedding: 4, layerEmbedding: 4, hidden: 8, residualBlocks: 1, generatorRank: 2 },
}
const LINE = 'You are Ada, who counts.'

let decoder: Decoder
let company: Pack

beforeAll(async () => {
  decoder = await recogniseBytes(writeOnnx(tinyDecoder({})), TINY_CONFIG)
  const trainee = beginTraining(
    readTrainConfig({ ...settings, system: { Ada: LINE } }),
    decoder,
    ['Ada', 'Bo'],
    null,
  )
  const backbone = { name: 'tiny', architecture: 'llama', fingerprint: '' }
  company = await readPack(memorySource('company', await finishPack(trainee, trainee.tensors, backbone, {})))
})

function dialogues(...roles: readonly string[]): SplitDialogue[] {
  return roles.flatMap((role) =>
    (['train', 'train', 'test'] as const).map((split, index) => ({
      role,
      split,
      turns: [
        { speaker: 'user', text: `Question ${index}?` },
        { speaker: 'role', text: `${role} says ${index}.` },
      ],
    })),
  )
}

function prepare(changes: Record<string, unknown>, start: Pack | null, ...roles: readonly string[]) {
  const config = readTrainConfig({ ...settings, ...changes }, start?.config)
  return prepareRows({ config, decoder, fingerprint: '', start }, codec, dialogues(...roles))
}

test('rows stand behind the line that the pack carries', async () => {
  const { batches, trainee } = await prepare({}, company, 'Ada', 'Bo')
  expect(trainee.roles.map(({ system }) => system)).toEqual([LINE, null])
  for (const { roles, rows, tokens, ids } of [...batches.at(0), ...batches.heldOut]) {
    for (let row = 0; row < rows; row++) {
      const text = tokenizer.decode([...ids.subarray(row * tokens, (row + 1) * tokens)])
      const line = trainee.roles[roles[row]!]!.system
      expect(text.startsWith(line === null ? '<|im_start|>user' : `<|im_start|>system\n${LINE}`)).toBe(true)
    }
  }
})

test('a configuration with another line than the start pack’s is refused', async () => {
  const fact = 'the configuration gives Ada another line than the start pack does: leave it out of "system"'
  for (const system of ['You are {name}.', { Ada: 'Ada.' }]) {
    await expect(prepare({ system }, company, 'Ada', 'Bo')).rejects.toThrow(fact)
  }
  expect((await prepare({ system: { Ada: LINE, Cy: 'Cy.' } }, company, 'Ada')).rows).toBe(2)
  const grown = await prepare({ mode: 'full', role: 'Cy', system: 'You are {name}.' }, company, 'Cy')
  expect(grown.trainee.roles.map(({ system }) => system)).toEqual([LINE, null, 'You are Cy.'])
})

test('a run that wants a likelihood gap is refused, with what to do instead', async () => {
  const fact = 'gap.weight is 0.5, and this trainer has no likelihood gap: set it to 0, or train with scale/'
  for (const start of [null, company]) {
    await expect(prepare({ gap: { weight: 0.5 } }, start, 'Ada', 'Bo')).rejects.toThrow(fact)
  }
  expect((await prepare({ gap: { margin: 1 } }, null, 'Ada', 'Bo')).rows).toBe(4)
})

test('rows of roles that the run does not have are left out and named', async () => {
  for (const mode of ['quick', 'full']) {
    const { batches, rows, rejected } = await prepare({ mode, role: 'Cy' }, company, 'Dot', 'Cy', 'Eve', 'Bo')
    expect(rejected).toEqual(['6 rows of Dot, Eve, whom the pack that is trained does not have'])
    expect(rows).toBe(4)
    const taught = [0, 1].flatMap((step) => batches.at(step).flatMap((batch) => batch.roles))
    expect(new Set(taught)).toEqual(new Set([1, 2]))
    expect(batches.heldOut.flatMap((batch) => batch.roles)).toEqual([2, 1])
  }
})

test('a role that is to be taught needs rows', async () => {
  const fact = 'mode "quick" teaches Cy, of whom the data has no row to train on'
  await expect(prepare({ mode: 'quick', role: 'Cy' }, company, 'Ada', 'Dot')).rejects.toThrow(fact)
})

test('a row that the template refuses is left out by its line, and a template without ends is told of', async () => {
  const ends =
    "{% for m in messages %}{% if 'refused' in m.content %}{{ raise_exception('no') }}{% endif %}{{ m.content }}\n{% endfor %}"
  const open = { ...codec, template: loadChatTemplate({}, ends) }
  const rows = dialogues('Ada').map((dialogue, index) => ({
    ...dialogue,
    line: index + 1,
    turns:
      index === 1
        ? [{ speaker: 'user' as const, text: 'refused' }, ...dialogue.turns.slice(1)]
        : dialogue.turns,
  }))
  const ground = { config: readTrainConfig(settings), decoder, fingerprint: '', start: null }
  const { rejected, notes, rows: count } = await prepareRows(ground, open, rows)
  expect(count).toBe(1)
  expect(rejected).toEqual(['line 2: the chat template refuses the chat: no'])
  expect(notes).toEqual([
    'The chat template writes no token that ends a turn: <|im_end|> is learnt behind the last reply of a dialogue.',
  ])
})

test('where a row stood in its file changes nothing of the run', async () => {
  const ground = { config: readTrainConfig(settings), decoder, fingerprint: '', start: null }
  const rows = dialogues('Ada')
  const moved = rows.map((dialogue) => ({ ...dialogue, line: 7, file: 'a.jsonl' }))
  const [one, other] = await Promise.all([rows, moved].map((data) => prepareRows(ground, codec, data)))
  expect(other!.run).toBe(one!.run)
})

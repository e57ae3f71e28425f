import { expect, test } from 'vitest'

import type { SplitDialogue } from '../../../src/core/dialogue.ts'
import type { RoleSheet } from '../../../src/evaluate/conversation.ts'
import { QUICK_EVALUATION } from '../../../src/evaluate/evaluate.ts'
import { QUICK_MEASURES, takeMeasures } from '../../../src/evaluate/measures.ts'
import type { MeasureOptions, Report } from '../../../src/evaluate/measures.ts'
import type { Memory } from '../../../src/evaluate/memory.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { starterCodec } from '../../support/starterCodec.ts'
import { tinyPack } from '../../support/tinyPack.ts'
import { ToyBackbone } from '../../support/toyBackbone.ts'

const codec = starterCodec()
const { tokenizer } = codec
const roles = ['Role 0', 'Role 1']
const replies = ['My parrot is Flint.', 'My parrot is Polly.', 'Yes.'].map((text) => tokenizer.encode(text))

const dialogues = roles.flatMap((role) =>
  (['test', 'wording'] as const).flatMap((split) =>
    Array.from({ length: 10 }, (_, index): SplitDialogue => ({
      role,
      split,
      item: `${split} ${index}`,
      turns: [
        { speaker: 'user', text: `${split} question ${index}?` },
        { speaker: 'role', text: `Reply ${index}.` },
      ],
    })),
  ),
)

const sheets = new Map<string, RoleSheet>(
  roles.map((role) => [
    role,
    {
      facts: [
        {
          id: 'parrot',
          fact: 'The parrot is Flint.',
          ask: ['Your parrot?', 'The bird?'],
          accept: ['flint'],
          wrong: ['polly'],
        },
      ],
      names: [role],
    },
  ]),
)

async function run(
  options: Partial<MeasureOptions>,
  memory?: Memory,
): Promise<{ report: Report; phases: Set<string>; backbone: ToyBackbone }> {
  const favoured = roles.map(() => new Set<number>())
  const backbone = new ToyBackbone({ favoured, answers: replies, vocabulary: tokenizer.vocabularySize })
  const pack = await readPack(
    memorySource('tiny.hycora.safetensors', await writePack(tinyPack({ roles: 2 }))),
  )
  const model = { fingerprint: '', ...codec, stopIds: [] }
  const subject = { name: 'toy', backbone, model, pack, ...(memory && { memory }) }
  const measures = ['relevance', 'facts', 'conversation'] as const
  const all = { ...QUICK_EVALUATION, ...QUICK_MEASURES, measures, ...options }
  const running = takeMeasures(subject, dialogues, sheets, all)
  const phases = new Set<string>()
  for (;;) {
    const next = await running.next()
    if (next.done) return { report: next.value, phases, backbone }
    expect(next.value.done).toBeLessThanOrEqual(next.value.all)
    phases.add(next.value.phase)
  }
}

test('every measure of what the roles answer', async () => {
  const { report, phases } = await run({})
  expect([...phases]).toEqual(['relevance', 'facts', 'conversation'])
  expect(report.nll).toBeUndefined()
  // Every question is as likely to a model without weights: none can be told.
  expect(report.relevance).toMatchObject({ accuracy: 0, ceiling: 0, floor: 0, answers: 16 })
  expect(report.relevance?.splits.test?.answers).toBe(8)
  expect(report.relevance?.splits.wording?.answers).toBe(8)
  expect(report.facts).toMatchObject({
    accuracy: 0.5,
    contradicted: 0.5,
    asked: 4,
    byRole: [
      { role: 'Role 0', accuracy: 1, asked: 2 },
      { role: 'Role 1', accuracy: 0, asked: 2 },
    ],
  })
  // Both say the same in all eight turns, one of them against its sheet wherever it speaks of its parrot.
  expect(report.conversation).toMatchObject({ repeats: 7 / 8, contradicts: 0.5, names: 0, turns: 16 })
})

test('only those that are asked for, and null without a sheet', async () => {
  const { report } = await run({ measures: ['facts'] })
  expect(Object.keys(report)).toEqual(['facts'])
  sheets.delete('Role 1')
  const { report: half } = await run({ measures: ['facts'] })
  expect(half.facts?.asked).toBe(2)
  sheets.delete('Role 0')
  expect((await run({ measures: ['facts'] })).report).toEqual({ facts: null })
})

test('the voice beside them', async () => {
  const { report, phases } = await run({ measures: ['voice', 'relevance'] })
  expect([...phases]).toEqual(['bare', 'prompted', 'roles', 'relevance'])
  expect(report.roles).toEqual(roles)
})

test('a run that remembers asks nothing twice and comes to the same', async () => {
  const kept = new Map<string, unknown>()
  const memory: Memory = {
    recall: (key) => kept.get(JSON.stringify(key)),
    keep: (key, value) => void kept.set(JSON.stringify(key), value),
  }
  const first = await run({ measures: ['voice', 'relevance', 'conversation'] }, memory)
  expect(first.backbone.prompts.length).toBeGreaterThan(0)
  const second = await run({ measures: ['voice', 'relevance', 'conversation'] }, memory)
  expect(second.report).toEqual(first.report)
  expect(second.backbone.prompts).toEqual([])
})

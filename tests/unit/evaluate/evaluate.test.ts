import type { SplitDialogue } from '../../../src/core/dialogue.ts'
import { describe, expect, test } from 'vitest'

import { QUICK_EVALUATION, WHOLE_EVALUATION, evaluatePack } from '../../../src/evaluate/evaluate.ts'
import type { Evaluation, EvaluationOptions } from '../../../src/evaluate/evaluate.ts'
import { exchangesOf } from '../../../src/evaluate/exchanges.ts'
import { fitDialogue, fitSystem, scoreDialogue } from '../../../src/evaluate/nll.ts'
import { summariseSwap } from '../../../src/evaluate/roleSwap.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { encodeRow } from '../../../src/train/data/rows.ts'
import { starterCodec } from '../../support/starterCodec.ts'
import { tinyPack } from '../../support/tinyPack.ts'
import { ToyBackbone } from '../../support/toyBackbone.ts'

const codec = starterCodec()
const { tokenizer } = codec
const vocabulary = tokenizer.vocabularySize

const said = [
  [
    'The salt wind howls and the mast groans.',
    'Haul the anchor and reef the topsail.',
    'No harbour tonight.',
  ],
  ['My kettle sings, the scones are warm.', 'Butter the crumpets and pour the tea.', 'Sugar or lemon?'],
]
const roles = ['Role 0', 'Role 1']

function dialogue(role: number, line: number, split: 'train' | 'test', exchanges = 1): SplitDialogue {
  const turns = Array.from({ length: exchanges }, (_, index) => [
    { speaker: 'user' as const, text: `Question ${line + index}?` },
    { speaker: 'role' as const, text: said[role]![(line + index) % 3]! },
  ]).flat()
  return { role: roles[role]!, split, turns }
}

const dialogues = [0, 1].flatMap((role) => [
  ...Array.from({ length: 12 }, (_, line) => dialogue(role, line, 'train')),
  ...Array.from({ length: 6 }, (_, line) => dialogue(role, line, 'test', 1 + (line % 2))),
])

const favoured = said.map((texts) => new Set(texts.flatMap((text) => tokenizer.encode(text))))
const answers = [said[0]![0]!, said[1]![1]!, 'Yes.'].map((text) => tokenizer.encode(text))

async function run(
  options: Partial<EvaluationOptions> = {},
  rows: readonly SplitDialogue[] = dialogues,
): Promise<{ evaluation: Evaluation; phases: string[]; backbone: ToyBackbone }> {
  const backbone = new ToyBackbone({ favoured, answers, vocabulary })
  const pack = await readPack(memorySource('tiny.hycora.safetensors', await writePack(tinyPack())))
  const model = { fingerprint: '', ...codec, stopIds: [] }
  const subject = { name: 'toy', backbone, model, pack }
  const running = evaluatePack(subject, rows, { ...QUICK_EVALUATION, ...options })
  const phases: string[] = []
  for (;;) {
    const next = await running.next()
    if (next.done) return { evaluation: next.value, phases, backbone }
    expect(next.value.done).toBeLessThanOrEqual(next.value.all)
    if (phases.at(-1) !== next.value.phase) phases.push(next.value.phase)
  }
}

describe('the whole evaluation on a model without weights', () => {
  test('gives every figure of the roles that the data has', async () => {
    const { evaluation, phases, backbone } = await run()
    expect(phases).toEqual(['bare', 'prompted', 'roles'])
    expect(evaluation.roles).toEqual(roles)
    const { nll, roleSwap, roleIdentification, details } = evaluation
    expect(nll.bare).toBeCloseTo(Math.log(vocabulary), 4)
    expect(nll.prompted).toBeCloseTo(nll.bare, 6)
    expect(nll.role).toBeLessThan(nll.bare - 1)
    expect(roleSwap.accuracy).toBe(1)
    expect(roleSwap.perReply).toBe(1)
    expect(roleSwap.matrix[0]![0]! + roleSwap.matrix[1]![1]!).toBeCloseTo(2 * nll.role, 6)
    expect(roleIdentification).toEqual({ accuracy: 1, ceiling: 1, floor: 0.5 })
    // Three answers of four are other sentences of the role; of two replies repeated eight times few pairs differ.
    expect(evaluation.bleu).toBeGreaterThan(0)
    expect(evaluation.rouge).toBeGreaterThan(0)
    expect(evaluation.distinct2).toBeLessThan(0.5)
    expect([details.replies, details.generations]).toEqual([18, 8])
    expect(details.samples[0]).toMatchObject({ role: 'Role 0', reply: said[0]![0], bare: 'Yes.' })
    // The bare backbone is asked first, without a line; the second role has one.
    expect(tokenizer.decode([...backbone.prompts[0]!])).not.toContain('system')
    expect(tokenizer.decode([...backbone.prompts.at(-1)!])).toContain('You are role 1.')
  })

  test('depends on the seed alone', async () => {
    const options = { exchanges: 3, generations: 2 }
    const first = await run(options)
    expect((await run(options)).evaluation).toEqual(first.evaluation)
    const other = await run({ ...options, seed: 1 })
    expect(other.evaluation.details.samples).not.toEqual(first.evaluation.details.samples)
    expect(first.evaluation.details.replies).toBe(6)
  })

  test('without a limit takes every held-out reply', async () => {
    const { evaluation } = await run(WHOLE_EVALUATION)
    expect([evaluation.details.replies, evaluation.details.generations]).toEqual([18, 18])
  })

  test('without training rows names no speaker', async () => {
    const { evaluation } = await run(
      {},
      dialogues.filter(({ split }) => split === 'test'),
    )
    expect(evaluation.roleIdentification).toEqual({ accuracy: null, ceiling: null, floor: null })
  })

  test('is refused when the data knows no role of the pack', async () => {
    const strangers = dialogues.map((each) => ({ ...each, role: 'Nobody' }))
    await expect(run({}, strangers)).rejects.toMatchObject({ code: 'usage' })
  })
})

const talk = dialogue(0, 0, 'test', 3)
const scoring = (context = 512, replyTokens = Infinity) => ({
  backbone: new ToyBackbone({
    favoured: [new Set(tokenizer.encode(said[0]![1]!))],
    answers: [],
    vocabulary,
    context,
  }),
  codec,
  replyTokens,
})

describe('what is measured', () => {
  const casting = { parts: [{ role: 0, weight: 1 }], strength: 1 }

  test('the tokens of training, each reply by itself', async () => {
    const row = encodeRow(codec, talk, null, 512)
    if ('reason' in row) throw new Error(row.reason)
    const measured = { ...talk, wanted: [1] }
    const [score] = await scoreDialogue(scoring(), measured, { system: null, casting })
    const favouredIds = new Set(tokenizer.encode(said[0]![1]!))
    const total = Math.log(vocabulary - favouredIds.size + favouredIds.size * Math.exp(2))
    const tokens = tokenizer.encode(said[0]![1]!).length
    // The reply's own words are favoured, the end of its turn is not.
    expect(score!.nll).toBeCloseTo(total - (2 * tokens) / (tokens + 1), 4)
    expect(await scoreDialogue(scoring(512, 3), measured, { system: null, casting })).toEqual([
      { role: 'Role 0', nll: expect.closeTo(total - 2, 4) },
    ])
  })

  test('a dialogue that is too long loses turns once, for every condition', async () => {
    const length = (turns: typeof talk.turns, system: string | null): number => {
      const row = encodeRow(codec, { role: talk.role, turns }, system, 512)
      return 'reason' in row ? 0 : row.ids.length
    }
    const line = 'You are a sailor.'
    const context = length(talk.turns, line) - 1
    const fitted = fitDialogue(scoring(context), { ...talk, wanted: [0, 2] }, line)!
    expect(fitted.turns.length).toBeLessThan(talk.turns.length)
    expect(fitted.turns.at(-1)).toEqual(talk.turns.at(-1))
    const scores = await scoreDialogue(scoring(context), fitted, { system: line, casting })
    expect(scores).toHaveLength(fitted.wanted.length)
    const card = 'A very long card. '.repeat(60)
    const system = fitSystem(scoring(context), fitted, card)
    expect(card.startsWith(system)).toBe(true)
    expect(length(fitted.turns, system)).toBeLessThanOrEqual(context)
    expect(await scoreDialogue(scoring(context), fitted, { system, casting })).toHaveLength(
      fitted.wanted.length,
    )
  })

  test('ends with the last reply that is wanted', () => {
    expect(fitDialogue(scoring(), { ...talk, wanted: [0] }, null)?.turns).toEqual(talk.turns.slice(0, 2))
  })

  test('replies to the same words are references of one another', () => {
    const turns = [{ speaker: 'user' as const, text: 'Hello?' }]
    const answered = ['Hi.', 'Hey.'].map((text) => {
      return { role: 'A', line: 1, turns: [...turns, { speaker: 'role' as const, text }] }
    })
    expect(exchangesOf(answered).map(({ references }) => references)).toEqual([
      ['Hi.', 'Hey.'],
      ['Hi.', 'Hey.'],
    ])
  })
})

const score = (role: string, nll: number) => ({ role, nll })

test('the swap matrix: means by role, ties lose', () => {
  const swap = summariseSwap(
    ['A', 'B'],
    [
      [score('A', 1), score('A', 2), score('B', 3)],
      [score('A', 2), score('A', 1.5), score('B', 3)],
    ],
  )
  expect(swap).toEqual({
    matrix: [
      [1.5, 1.75],
      [3, 3],
    ],
    accuracy: 0.5,
    margin: 0.125,
    perReply: 1 / 3,
  })
})

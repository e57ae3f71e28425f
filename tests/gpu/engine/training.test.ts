import { expect, test } from 'vitest'

import { GREEDY } from '../../../src/core/sampling.ts'
import type { TrainEvent, TrainParams } from '../../../src/engine/protocol.ts'
import { mapRoles } from '../../../src/train/run/roleMap.ts'
import type { Stage } from '../../../src/play/stage.ts'
import { answerScene } from '../../../src/engine/answer.ts'
import { trainOn } from '../../../src/engine/trainer.ts'
import { blobSource } from '../../../src/formats/blobSource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import type { PackFile, PackRef } from '../../../src/formats/packFacts.ts'
import { changeRole } from '../../../src/formats/packParts.ts'
import type { ChatModel } from '../../../src/model/chatModel.ts'
import { buildPrompt } from '../../../src/model/prompt.ts'
import { decoderPack } from '../../support/decoderPack.ts'
import { starterStage } from '../../support/starterStage.ts'

const tiny = { steps: 1, batch: 1, rank: 2, targets: ['q'], contrast: { form: 'off' } }

const params: TrainParams = {
  backbone: 'Starter',
  dialogues: Array.from({ length: 4 }, (_, index) => ({
    role: 'Brine',
    split: 'train' as const,
    turns: [
      { speaker: 'user', text: `Question ${index}?` },
      { speaker: 'role', text: 'Mind the rope.' },
    ],
  })),
  config: tiny,
  start: null,
  checkpoint: null,
  trial: { role: 'Brine', prompts: ['Who are you?'], everySteps: 1 },
  duty: 1,
}

const control = () => ({ signal: new AbortController().signal, duty: () => 1 })

/** What the bare backbone says to a prompt, as a trial asks it. */
async function bareAnswer({ backbone, model }: Stage, text: string, maxTokens: number): Promise<string> {
  const { tokenizer, template, stopIds } = model
  const turns = [{ speaker: 'user' as const, text }]
  const prompt = buildPrompt(template!, tokenizer!, { system: null, turns, continueLast: false }, 512)
  const tokens: number[] = []
  const request = { ids: prompt.ids, casting: null, sampling: GREEDY, maxTokens, stopIds }
  for await (const id of backbone.generate(request)) tokens.push(id)
  return tokenizer!.decode(tokens)
}

/** What a role says to a message in a chat. */
async function chatAnswer(stage: Stage, role: string, pack: PackRef, text: string): Promise<string> {
  const turns = [{ speaker: 'user' as const, text }]
  const scene = { role, pack, strength: 1, turns, continueLast: false }
  const request = { scene, sampling: GREEDY, maxTokens: 48 }
  const asked = answerScene(() => Promise.resolve(stage), request, control().signal)
  let piece = await asked.next()
  while (!piece.done) piece = await asked.next()
  return piece.value.text
}

test('a run shows what the role answers and how near the roles are, on its way and of what it comes to', async () => {
  const stage = await starterStage()
  const prompts = ['Who are you?', 'What do you like?']
  const dialogues = params.dialogues.map((dialogue, index) => ({
    ...dialogue,
    role: index % 2 === 0 ? 'Brine' : 'Alice',
  }))
  const config = { ...tiny, steps: 2, batch: 2, learningRate: 0.02, warmup: 0, system: null }
  const trial = { role: 'Alice', prompts, everySteps: 2 }
  const run = trainOn(stage, { ...params, dialogues, config, trial }, control())
  const events: TrainEvent[] = []
  let next = await run.next()
  for (; !next.done; next = await run.next()) events.push(next.value)

  const shown = events.filter(({ kind }) => ['step', 'answers', 'map', 'pack'].includes(kind))
  expect(shown.map((event) => [event.kind, 'step' in event && event.step])).toEqual([
    ['answers', 0],
    ['map', 0],
    ['pack', 0],
    ['step', 1],
    ['step', 2],
    ['answers', 2],
    ['map', 2],
    ['pack', 2],
  ])
  const [before, after] = events.filter((event) => event.kind === 'answers')
  // B begins at 0, so that the role begins as the backbone is.
  expect(before?.answers[0]).toBe(await bareAnswer(stage, prompts[0]!, 48))
  expect(after?.answers).toHaveLength(2)
  expect(after?.answers).not.toEqual(before?.answers)

  // Whoever is asked again as of a step gives the answers of its trial.
  const packs = events.filter((event) => event.kind === 'pack')
  for (const [index, { pack, step }] of packs.entries()) {
    const told = await chatAnswer(stage, 'Alice', { id: `${step}`, name: 'then', file: pack }, prompts[0]!)
    expect(told).toBe([before, after][index]?.answers[0])
  }

  const [first, last] = events.filter((event) => event.kind === 'map').map(({ map }) => map)
  expect(last).toEqual(mapRoles(await readPack(blobSource('result', next.value.pack))))
  expect(first).toMatchObject({ names: ['Brine', 'Alice'], alike: null, isShared: false })
  // Both learn the same reply at far too high a rate, which leaves nothing between them.
  expect(last).toMatchObject({ names: ['Brine', 'Alice'], alike: ['Brine', 'Alice'] })
})

/** A pack that a run on the starter may begin with, whose only role learnt a book. */
async function learntStart({ model }: Stage, fingerprint: string): Promise<PackFile> {
  const made = await decoderPack((model as ChatModel).decoder, { rank: 2, projections: ['q'], roles: 1 })
  const entries = [
    { keys: ['cat'], content: 'Her cat is called Dinah.', extensions: { position: 4, depth: 1 } },
  ]
  const book = { entries, scan_depth: 1, token_budget: 24, extensions: { hycora: { learnt: true } } }
  const card = { name: 'Role 0', character_book: book }
  const content = { ...changeRole(made, 'Role 0', { card }), backbone: { ...made.backbone, fingerprint } }
  return { name: 'start', file: new Blob([await writePack(content)]) }
}

test('a trial reminds a role of what its weights learnt, as a chat with it does', async () => {
  const stage = await starterStage()
  const dialogues = params.dialogues.map((dialogue) => ({ ...dialogue, role: 'Role 0' }))
  const question = 'What is your cat called?'
  const run = trainOn(
    stage,
    {
      ...params,
      dialogues,
      start: await learntStart(stage, ''),
      trial: { role: 'Role 0', prompts: [question], everySteps: 1 },
    },
    control(),
  )
  const events: TrainEvent[] = []
  for (let next = await run.next(); !next.done; next = await run.next()) events.push(next.value)
  const [note] = events.filter((event) => event.kind === 'note')
  expect(note?.message).toMatch(/^start and Starter cannot be compared by fingerprint/)

  const { pack } = events.find((event) => event.kind === 'pack')!
  const { answers } = events.find((event) => event.kind === 'answers')!
  const then = { id: 'then', name: 'then', file: pack }
  expect(answers).toEqual([await chatAnswer(stage, 'Role 0', then, question)])
  const forgetful = changeRole(await readPack(blobSource('then', pack)), 'Role 0', { card: null })
  const other = { id: 'other', name: 'other', file: new Blob([await writePack(forgetful)]) }
  expect(answers).not.toEqual([await chatAnswer(stage, 'Role 0', other, question)])
})

test('a run does not begin with the pack of another backbone', async () => {
  const stage = await starterStage()
  const start = await learntStart(stage, '0'.repeat(64))
  await expect(trainOn(stage, { ...params, start }, control()).next()).rejects.toMatchObject({
    code: 'model-incompatible',
  })
})

test('a run that fails says why, though its backbone takes no pack any more', async () => {
  const stage = await starterStage()
  const { backbone } = stage
  const attach = backbone.attach.bind(backbone)
  let attached = 0
  // As when the device goes: the first rehearsal succeeds, then every attaching fails by a complaint of its own.
  backbone.attach = (pack) => {
    attached++
    return attached === 1 ? attach(pack) : Promise.reject(new Error(`attaching ${attached} failed`))
  }
  const run = trainOn(stage, params, control())
  const finished = (async () => {
    while (!(await run.next()).done);
  })()
  await expect(finished).rejects.toThrow('attaching 2 failed')
  await expect(stage.shelf.attach(undefined)).rejects.toThrow('attaching 3 failed')
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { cueIn } from '../../../src/cli/scripted.ts'
import { template, tokenizer } from '../../support/loreScene.ts'
import { ToyBackbone } from '../../support/toyBackbone.ts'

const CARD = {
  name: 'Orla',
  description: 'Orla keeps the light.',
  post_history_instructions: 'Be brief.',
  character_book: { entries: [{ keys: ['lamp'], content: 'It burns oil.' }] },
}
const LORE = { entries: { 0: { key: ['rope'], content: 'The rope is wet.', position: 4, depth: 0 } } }
const backbone = new ToyBackbone({ favoured: [], answers: [[]], vocabulary: 10 })
const model = { fingerprint: '', tokenizer, template, stopIds: [] }
const speaker = { name: 'toy', model, backbone, pack: null, casting: null, system: 'You are Alice.' }

let scratch = ''
const path = (name: string): string => join(scratch, name)

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hycora-scripted-'))
  await writeFile(path('orla.json'), JSON.stringify(CARD))
  await writeFile(path('ropes.json'), JSON.stringify(LORE))
})
afterAll(() => rm(scratch, { recursive: true }))

test('a card plays with all that it says, and a lorebook beside it', async () => {
  const options = new Map([
    ['card', path('orla.json')],
    ['lore', path('ropes.json')],
  ])
  const cue = await cueIn(speaker, options, 'The lamp and the rope?')
  expect(cue.system).toBe(
    'You are Orla, in a chat with stranger. Answer as Orla and as nobody else.\n\nOrla keeps the light.\n\nIt burns oil.',
  )
  expect(cue.asides?.map(({ text }) => text)).toEqual(['The rope is wet.', 'Be brief.'])
  expect(cue.report.fired.map(({ book, title }) => `${book}: ${title}`)).toEqual([
    'Orla’s lorebook: lamp',
    'ropes.json: rope',
  ])
})

test('a role keeps its line before a lorebook', async () => {
  const options = new Map([
    ['role', 'Alice'],
    ['lore', path('ropes.json')],
  ])
  const cue = await cueIn(speaker, options, 'The rope?')
  expect(cue.system).toBe('You are Alice.')
  expect(cue.asides?.map(({ text }) => text)).toEqual(['The rope is wet.'])
})

test.each([
  [{ card: 'ropes.json' }, 'is no character card'],
  [{ lore: 'orla.json' }, 'is no lorebook'],
  [{ card: 'orla.json', role: 'Alice' }, '--card and --role do not go together'],
])('%j is refused', async (names: Readonly<Record<string, string>>, reason) => {
  const options = new Map(
    Object.entries(names).map(([key, name]) => [key, key === 'role' ? name : path(name)] as const),
  )
  await expect(cueIn(speaker, options, 'Hi')).rejects.toThrow(reason)
})

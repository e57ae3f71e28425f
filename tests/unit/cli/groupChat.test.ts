import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { checkGroup } from '../../../src/cli/generate.ts'
import { cueFor, openGroup, openingOf, speakInGroup, whoIsNext } from '../../../src/cli/groupChat.ts'
import type { GroupChat, GroupLine } from '../../../src/cli/groupChat.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import { template, tokenizer } from '../../support/loreScene.ts'
import { ToyBackbone } from '../../support/toyBackbone.ts'

const ORLA = {
  name: 'Orla',
  description: '{{char}} keeps the light.',
  first_mes: 'Evening, {{user}}.',
}
const GROUP = {
  members: ['Alice.png', 'orla.json'],
  activation_strategy: 1,
  generation_mode: 1,
  generation_mode_join_prefix: '[{{char}}] ',
  chat_metadata: { scenario: 'A ferry at night.' },
}
const ALICE = {
  name: 'Alice',
  system: 'You are Alice.',
  card: { name: 'Alice', description: 'A girl.' },
  blend: null,
}
const pack = { roles: [ALICE], config: {} } as unknown as Pack
const delivery = { sampling: GREEDY, maxTokens: 40 }

let scratch = ''
let chat: GroupChat

const path = (name: string): string => join(scratch, name)
const toy = (...answers: readonly string[]) => {
  const ids = answers.map((text) => tokenizer.encode(text))
  const backbone = new ToyBackbone({ favoured: [], answers: ids, vocabulary: 10, context: 2048 })
  return { name: 'toy', model: { fingerprint: '', tokenizer, template, stopIds: [] }, backbone }
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hycora-group-'))
  await mkdir(path('groups'))
  await mkdir(path('characters'))
  await writeFile(path('groups/ferry.json'), JSON.stringify(GROUP))
  await writeFile(path('characters/orla.json'), JSON.stringify(ORLA))
  chat = await openGroup(new Map([['group', path('groups/ferry.json')]]), pack)
})
afterAll(() => rm(scratch, { recursive: true }))

test('a role of the pack and a card beside the groups play, and begin with their greetings', () => {
  expect(chat.players.map(({ key, name, role }) => [key, name, role])).toEqual([
    ['Alice.png', 'Alice', 'Alice'],
    ['orla.json', 'Orla', null],
  ])
  expect(openingOf(chat, 'Late?')).toEqual([
    { speaker: 'role', key: 'orla.json', name: 'Orla', text: 'Evening, stranger.' },
    { speaker: 'user', key: null, name: 'stranger', text: 'Late?' },
  ])
  expect(whoIsNext(chat, openingOf(chat, 'Late?'), 0)).toEqual(['Alice.png', 'orla.json'])
})

test('each hears the others, is told the cards of all, and ends before another’s name', async () => {
  const lines: GroupLine[] = [...openingOf(chat, 'Late?')]
  const voice = toy('Orla: Ay, late.\nAlice: No.')
  const said: string[] = []
  const speech = speakInGroup(voice, { chat, key: 'orla.json', pack, strength: 1 }, lines, delivery)
  for (;;) {
    const { done, value } = await speech.next()
    if (done) lines.push(value)
    else said.push(value)
    if (done) break
  }
  expect(said.join('')).toBe('Ay, late.')
  expect(lines.at(-1)).toEqual({ speaker: 'role', key: 'orla.json', name: 'Orla', text: 'Ay, late.' })
  const { cue, casting } = await cueFor(voice, { chat, key: 'Alice.png', pack, strength: 0.5 }, lines)
  expect(casting).toEqual({ parts: [{ role: 0, weight: 1 }], strength: 0.5 })
  expect(cue.turns).toEqual([
    { speaker: 'user', text: 'Orla: Evening, stranger.' },
    { speaker: 'user', text: 'Late?' },
    { speaker: 'user', text: 'Orla: Ay, late.' },
  ])
  expect(cue.system).toBe('You are Alice.\n\n[Orla] Orla keeps the light.\n\nA ferry at night.')
  const own = await cueFor(voice, { chat, key: 'orla.json', pack, strength: 1 }, lines)
  expect(own.cue.system).toMatch(/\[Alice\] A girl\.\n\[Orla\] Orla keeps the light\.\n\nA ferry at night\.$/)
})

describe('is refused', () => {
  test.each([
    ['a member who is nowhere', { ...GROUP, members: ['Alice.png', 'Bram.png'] }, 'Bram.png lies in none of'],
    ['one alone', { ...GROUP, members: ['Alice.png'] }, 'has 1 members, expected 2 to 8'],
    [
      'a way out of the folder',
      { ...GROUP, members: ['Alice.png', '../x.png'] },
      'is no name of a card’s file',
    ],
    ['a card', ORLA, 'is no group of SillyTavern'],
  ])('%s', async (_, value, reason) => {
    await writeFile(path('groups/odd.json'), JSON.stringify(value))
    await expect(openGroup(new Map([['group', path('groups/odd.json')]]), pack)).rejects.toThrow(reason)
  })

  test.each([
    [{ group: 'a.json', role: 'Alice' }, '--group and --role do not go together'],
    [{ group: 'a.json', raw: '' }, '--group and --raw do not go together'],
    [{ rounds: '2' }, '--rounds goes with --group alone'],
  ])('%j', (options, reason) => {
    expect(() => checkGroup(new Map(Object.entries(options)))).toThrow(reason)
  })
})

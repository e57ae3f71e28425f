import { beforeEach, expect, test } from 'vitest'

import { joinCast, readCast } from '../../../src/cast/member.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { beginChat, openChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { say } from '../../../app/stores/chat/generation.ts'
import {
  askChosen,
  askTogether,
  choose,
  closeTogether,
  keepAnswer,
  setAgain,
  useTogether,
} from '../../../app/stores/chat/together.ts'
import { useCast } from '../../../app/stores/company/cast.ts'
import { startEngine } from '../../../app/stores/engine/engine.ts'
import { readRoute } from '../../../app/stores/page/route.ts'
import { useSession } from '../../../app/stores/page/session.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

const names = ['Holmes', 'Alice', ...'abcdefgh'.split('')]
const shipped = readCast(
  Object.fromEntries(
    [...names, 'Untaught'].map((name) => [name, { displayName: name, card: { first_mes: 'Well.' } }]),
  ),
)

const open = () => useChats.getState().open!
const messages = () => visibleMessages(open())

beforeEach(async () => {
  closeTogether()
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped, members: joinCast(shipped, null) })
  await startEngine(() => createFakeEngine({ roles: names, answers: ['Curious.'] }))
  await beginChat('Alice')
  const route = readRoute(location.hash)
  if (route.screen === 'chat') await openChat(route.chat)
  await say('Who are you?')
})

test('puts the last question to eight who were taught, the chat’s own first', async () => {
  await askTogether(open())
  const { question, answers, isAnswering } = useTogether.getState()
  expect(useSession.getState().dialog).toBe('together')
  expect(question).toBe('Who are you?')
  expect(isAnswering).toBe(false)
  expect(answers.map(({ key }) => key)).toEqual(['Alice', 'Holmes', ...'abcdef'.split('')])
  expect(answers[1]?.text).toBe('Holmes says so.')
})

test('asks those who are chosen, never more than eight', async () => {
  await askTogether(open())
  choose('h', true)
  expect(useTogether.getState().chosen).not.toContain('h')
  for (const key of 'abcdef'.split('')) choose(key, false)
  choose('h', true)
  await askChosen()
  expect(useTogether.getState().answers.map(({ key }) => key)).toEqual(['Alice', 'Holmes', 'h'])
})

test('asks one alone eight times, at seeds of their own', async () => {
  await askTogether(open())
  setAgain(true)
  await askChosen()
  const { answers } = useTogether.getState()
  expect(new Set(answers.map(({ key }) => key))).toEqual(new Set(['Alice']))
  expect(new Set(answers.map(({ seed }) => seed)).size).toBe(8)
})

test('keeps the character’s own answer as another version, and somebody else’s as theirs', async () => {
  await askTogether(open())
  await keepAnswer(useTogether.getState().answers[0]!)
  expect(messages()).toHaveLength(3)
  expect(selectedTake(messages().at(-1)!).text).toBe('Alice says so.')
  expect(messages().at(-1)!.takes).toHaveLength(2)
  await askTogether(open())
  await keepAnswer(useTogether.getState().answers[1]!)
  expect(messages()).toHaveLength(4)
  expect(messages().at(-1)).toMatchObject({ key: 'Holmes', name: 'Holmes' })
  expect(useSession.getState().dialog).toBe('none')
})

test('closed in the middle, it forgets what comes late', async () => {
  const asked = askTogether(open())
  closeTogether()
  await asked
  expect(useTogether.getState()).toMatchObject({ answers: [], isAnswering: false })
})

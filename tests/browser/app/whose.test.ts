import { beforeEach, expect, test } from 'vitest'

import { joinCast, readCast } from '../../../src/cast/member.ts'
import { visibleMessages } from '../../../src/storage/chat.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { beginChat, openChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { say } from '../../../app/stores/chat/generation.ts'
import {
  askPlace,
  askWhose,
  closeWhose,
  useWhose,
  weigh,
  writeWhose,
} from '../../../app/stores/chat/whose.ts'
import { useCast } from '../../../app/stores/company/cast.ts'
import { startEngine } from '../../../app/stores/engine/engine.ts'
import { readRoute } from '../../../app/stores/page/route.ts'
import { useSession } from '../../../app/stores/page/session.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

const shipped = readCast({
  Holmes: { displayName: 'Sherlock Holmes', card: { first_mes: 'Good evening.' } },
  Alice: { displayName: 'Alice', card: { first_mes: 'Curiouser.' } },
  Untaught: { displayName: 'Untaught', card: { first_mes: 'Well.' } },
})

let chat: Chat

beforeEach(async () => {
  closeWhose()
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped, members: joinCast(shipped, null) })
  await startEngine(() => createFakeEngine({ roles: ['Holmes', 'Alice'], answers: ['He has him here.'] }))
  await beginChat('Alice')
  const route = readRoute(location.hash)
  if (route.screen === 'chat') await openChat(route.chat)
  await say('And who are you?')
  chat = useChats.getState().open!
})

const keys = () => useWhose.getState().found.map(({ key }) => key)

test('weighs an answer to its question under everybody who was taught, the bare model first', async () => {
  await askWhose(chat, visibleMessages(chat).at(-1)!)
  expect(useSession.getState().dialog).toBe('whose')
  expect(useWhose.getState()).toMatchObject({
    question: 'And who are you?',
    words: 'He has him here.',
    shown: 'Alice',
    isWeighing: false,
    total: 3,
  })
  expect(keys()).toEqual([null, 'Alice', 'Holmes'])
})

test('weighs a greeting as an answer to a greeting, and what is written in its place', async () => {
  await askWhose(chat, visibleMessages(chat)[0]!)
  expect(useWhose.getState()).toMatchObject({ question: 'Hello.', words: 'Curiouser.' })
  writeWhose({ words: 'a word' })
  await weigh()
  expect(useWhose.getState().found[1]?.pieces.map(({ text }) => text)).toEqual(['a', ' word'])
})

test('names what else was likely in a place, by them and by nobody', async () => {
  await askWhose(chat, visibleMessages(chat).at(-1)!)
  await askPlace(1)
  const { place } = useWhose.getState()
  expect(place?.piece).toBe(1)
  expect(place?.byThem[0]?.text).toBe(' Alice')
  expect(place?.byNobody[0]?.text).toBe(' nobody')
})

test('closed in the middle, it forgets what comes late', async () => {
  const asked = askWhose(chat, visibleMessages(chat).at(-1)!)
  closeWhose()
  await asked
  expect(useWhose.getState()).toMatchObject({ words: '', found: [], isWeighing: false })
  expect(useSession.getState().dialog).toBe('none')
})

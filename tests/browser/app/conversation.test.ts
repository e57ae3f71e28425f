import { beforeEach, describe, expect, test } from 'vitest'

import { joinCast, readCast } from '../../../src/cast/member.ts'
import { useCast } from '../../../app/stores/company/cast.ts'
import {
  beginChat,
  deleteMessage,
  openChat,
  openChats,
  setScene,
  useChats,
} from '../../../app/stores/chat/chats.ts'
import { exportOpenChat, importChatFile } from '../../../app/stores/chat/chatFiles.ts'
import { addBook, changeFacts, changeNote, keepInMind, removeBook } from '../../../app/stores/chat/inMind.ts'
import {
  choosePath,
  measureAgain,
  retryEngine,
  startEngine,
  useEngine,
} from '../../../app/stores/engine/engine.ts'
import { again, carryOn, say, stopAnswer, useGeneration } from '../../../app/stores/chat/generation.ts'
import { useNotices } from '../../../app/stores/page/notices.ts'
import { readRoute } from '../../../app/stores/page/route.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import { branchChat } from '../../../app/stores/chat/branch.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine, Script } from '../../support/fakeEngine.ts'

const shipped = readCast({
  Holmes: {
    displayName: 'Sherlock Holmes',
    line: 'Go on.',
    card: {
      description: '{{char}} is a detective.',
      first_mes: 'Good evening, {{user}}.',
      alternate_greetings: ['Ah.'],
    },
  },
  Alice: {
    displayName: 'Alice',
    card: { description: '{{char}} met {{user}} at tea.', first_mes: 'Curiouser.' },
  },
})

/** Opens a chat with a role, an engine that follows the script behind it. */
const stage = async (key: string | null, script: Script = {}): Promise<FakeEngine> => {
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped, members: joinCast(shipped, null) })
  const engine = createFakeEngine({ roles: ['Holmes'], ...script })
  await startEngine(() => engine)
  await beginChat(key)
  const route = readRoute(location.hash)
  if (route.screen === 'chat') await openChat(route.chat)
  return engine
}

const refuse = (): Promise<never> => Promise.reject(new DOMException('the disk is broken', 'UnknownError'))

const chat = (): Chat => useChats.getState().open!
const words = (): string[] => visibleMessages(chat()).map((message) => selectedTake(message).text)
const last = () => visibleMessages(chat()).at(-1)!

beforeEach(() => {
  location.hash = ''
  useGeneration.setState({ live: null, failure: null, lastSeed: null, cut: null })
  useNotices.setState({ notice: null })
  changeSettings({
    userName: 'Watson',
    mood: 'lively',
    overrides: {},
    lockedSeed: null,
    backbone: 'starter',
  })
})

describe('a conversation', () => {
  test('begins with the greeting and its alternatives, and sends it with the names filled in', async () => {
    const engine = await stage('Holmes')
    expect(last().takes.map(({ text }) => text)).toEqual(['Good evening, {{user}}.', 'Ah.'])
    await say('Hello')
    expect(engine.asked[0]?.scene).toEqual({
      role: 'Holmes',
      strength: 1,
      turns: [
        { speaker: 'role', text: 'Good evening, Watson.' },
        { speaker: 'user', text: 'Hello' },
      ],
      continueLast: false,
    })
    expect(words()).toEqual(['Good evening, {{user}}.', 'Hello', 'Indeed.'])
    expect(selectedTake(last()).generation).toMatchObject({ key: 'Holmes', strength: 1, stop: 'end' })
  })

  test('answers again without forgetting, and does not read the answer it replaces', async () => {
    const engine = await stage('Holmes', { answers: ['One.', 'Two.'] })
    await say('Hello')
    await again()
    expect(last().takes.map(({ text }) => text)).toEqual(['One.', 'Two.'])
    expect(last().selected).toBe(1)
    expect(engine.asked[1]?.scene.turns).toEqual(engine.asked[0]?.scene.turns)
  })

  test('tells a model with room what goes with the card, and what is asked of it', async () => {
    const engine = await stage('Alice', { answers: ['One.', 'Two.'] })
    changeSettings({ cardText: 'card' })
    await say('Hello')
    await again()
    await carryOn()
    expect(engine.asked.map(({ scene }) => scene.script?.occasion)).toEqual(['next', 'other', 'more'])
    expect(engine.asked[0]?.scene.system).toBe(
      'You are Alice, in a chat with Watson. Answer as Alice and as nobody else.',
    )
    expect(engine.asked[0]?.scene.script).toMatchObject({
      names: { user: 'Watson', character: 'Alice', persona: '' },
      texts: { description: 'Alice met Watson at tea.' },
      greeting: 0,
    })
    changeSettings({ cardText: 'auto' })
    await say('And?')
    expect(engine.asked.at(-1)?.scene.script).toBeUndefined()
  })

  test('never answers a greeting again', async () => {
    const engine = await stage('Holmes')
    await again()
    expect(engine.asked).toEqual([])
  })

  test('carries an answer on in the same message', async () => {
    const engine = await stage('Holmes', { answers: ['One', ' and two.'] })
    await say('Count')
    await carryOn()
    expect(words().at(-1)).toBe('One and two.')
    expect(last().takes).toHaveLength(1)
    expect(engine.asked[1]?.scene).toMatchObject({ continueLast: true })
    expect(engine.asked[1]?.scene.turns.at(-1)).toEqual({ speaker: 'role', text: 'One' })
  })

  test('stops where it is told to, and keeps what was said', async () => {
    let steps = 0
    const script: Script = {
      answers: ['one two three four five six'],
      pause: () => {
        if (useGeneration.getState().live && ++steps === 4) stopAnswer()
        return Promise.resolve()
      },
    }
    await stage('Holmes', script)
    await say('Count')
    expect(words().at(-1)).toBe('one two three')
    expect(selectedTake(last()).generation?.stop).toBe('cancelled')
    expect(useGeneration.getState()).toMatchObject({ live: null, failure: null })
  })

  test('keeps half an answer when the graphics card goes, and says so', async () => {
    await stage('Holmes', { answers: ['one two three four'], generateFails: 'device-lost' })
    await say('Count')
    expect(words().at(-1)).toBe('one two three')
    expect(useGeneration.getState().failure).toMatchObject({ code: 'device-lost', chat: chat().id })
  })

  test('gives the same dice with a locked seed, and shows them', async () => {
    const engine = await stage('Holmes')
    changeSettings({ lockedSeed: 42 })
    await say('Hello')
    expect(engine.asked[0]?.sampling.seed).toBe(42)
    expect(useGeneration.getState().lastSeed).toBe(42)
  })

  test('marks where the context was cut', async () => {
    await stage('Holmes', { context: 30, answers: ['A rather long answer, so that it will not all fit.'] })
    await say('A first question that takes some room')
    await say('And a second one that takes more')
    const { cut } = useGeneration.getState()
    expect(cut?.chat).toBe(chat().id)
    expect(visibleMessages(chat()).map(({ id }) => id)).toContain(cut?.message)
  })
})

describe('who plays', () => {
  test('whom both models know is one character: the chat goes on, each model with its own adapter', async () => {
    const engine = await stage('Holmes', { roles: ['Holmes'], answers: ['One.', 'Two.', 'Three.'] })
    const begun = chat().id
    await say('Hello')
    changeSettings({ backbone: 'smollm2-135m-instruct' })
    await retryEngine()
    await say('And now?')
    expect(engine.loaded.map(({ name }) => name)).toEqual(['Tiny (5.5 M)', 'SmolLM2 135M'])
    expect(engine.loaded[1]?.pack?.name).not.toBe(engine.loaded[0]?.pack?.name)
    expect(engine.asked.map(({ scene }) => scene.role)).toEqual(['Holmes', 'Holmes'])
    expect(engine.asked[1]?.scene.turns.map(({ text }) => text)).toEqual([
      'Good evening, Watson.',
      'Hello',
      'One.',
      'And now?',
    ])
    expect(chat().id).toBe(begun)
  })

  test('whom only one model knows plays by a line on the other, in the same chat', async () => {
    const engine = await stage('Holmes', { roles: (name) => (name.startsWith('Tiny') ? ['Holmes'] : []) })
    await say('Hello')
    changeSettings({ backbone: 'smollm2-135m-instruct' })
    await retryEngine()
    await say('And now?')
    changeSettings({ backbone: 'starter' })
    await retryEngine()
    await say('And again?')
    expect(engine.asked.map(({ scene: { role, system } }) => [role, system])).toEqual([
      ['Holmes', undefined],
      [null, 'You are Sherlock Holmes, a detective. Speak only as Sherlock Holmes.'],
      ['Holmes', undefined],
    ])
    expect(words()).toHaveLength(7)
  })

  test('a role without weights is the bare model with a line of the card as its text', async () => {
    const engine = await stage('Alice')
    await say('Hello')
    expect(engine.asked[0]?.scene).toMatchObject({
      role: null,
      system: 'You are Alice. Alice met Watson at tea. Speak only as Alice.',
    })
  })

  test('nobody is the bare model with no text at all', async () => {
    const engine = await stage(null)
    await say('Hello')
    expect(engine.asked[0]?.scene).toMatchObject({ role: null, system: null, turns: [{ text: 'Hello' }] })
  })

  test('a change of who plays before the first words changes the greeting; later it leaves what was said', async () => {
    const engine = await stage('Holmes')
    await setScene({ key: 'Alice', strength: 1 })
    expect(words()).toEqual(['Curiouser.'])
    await say('Hello')
    await setScene({ key: 'Holmes', strength: 1.2 })
    expect(words()).toEqual(['Curiouser.', 'Hello', 'Indeed.'])
    await say('And you?')
    expect(engine.asked[1]?.scene).toMatchObject({ role: 'Holmes', strength: 1.2 })
    expect(last().key).toBe('Holmes')
  })
})

describe('a chat', () => {
  test('keeps in mind what it is told to, goes by a note when it is its turn, and takes both into a branch', async () => {
    const engine = await stage('Alice')
    changeSettings({ cardText: 'card' })
    await say('I came by cab.')
    await keepInMind(chat(), '*sighs*  I came\nby cab.')
    await keepInMind(chat(), 'sighs I came by cab.')
    expect(chat().facts).toEqual(['sighs I came by cab.'])
    await changeFacts(chat(), ['{{user}} came by cab.'])
    await changeNote(chat(), { text: 'It rains.', depth: 1, every: 2 })
    await say('Well?')
    await say('And?')
    const told = engine.asked.slice(1).map(({ scene }) => scene.script)
    expect(told.map((script) => script?.texts.memory)).toEqual(
      Array(2).fill('To be kept in mind:\n- Watson came by cab.'),
    )
    expect(told.map((script) => script?.notes.map(({ text, depth }) => [text, depth]))).toEqual([
      [['It rains.', 1]],
      [],
    ])
    await branchChat(chat(), last().id)
    const route = readRoute(location.hash)
    await openChat(route.screen === 'chat' ? route.chat : '')
    expect([chat().facts, chat().note?.every]).toEqual([['{{user}} came by cab.'], 2])
    expect(exportOpenChat(chat()).text).toContain('"note_prompt":"It rains."')
    await changeNote(chat(), { text: ' ', depth: 1, every: 2 })
    expect(chat().note).toBeNull()
    changeSettings({ cardText: 'auto' })
  })

  test('takes lorebooks along, once each, and into a branch, and lets them go', async () => {
    const engine = await stage('Alice')
    changeSettings({ cardText: 'card' })
    const book = { name: 'Tea', text: '{"entries":[{"keys":["tea"],"content":"Six o’clock."}]}' }
    await addBook(chat().id, book)
    await addBook(chat().id, book)
    await say('Tea?')
    expect(engine.asked[0]?.scene.script?.books).toMatchObject([{}, { name: 'Tea', book: book.text }])
    await branchChat(chat(), last().id)
    const route = readRoute(location.hash)
    await openChat(route.screen === 'chat' ? route.chat : '')
    expect(chat().books).toEqual([book])
    await removeBook(chat(), chat().books[0]!)
    expect(chat().books).toEqual([])
    await useNotices.getState().notice?.undo?.()
    expect(chat().books).toEqual([book])
    changeSettings({ cardText: 'auto' })
  })

  test('branches into a copy and stays as it was', async () => {
    await stage('Holmes')
    await say('Hello')
    const before = chat()
    await branchChat(before, visibleMessages(before)[1]!.id)
    const route = readRoute(location.hash)
    expect(route.screen === 'chat' && route.chat).not.toBe(before.id)
    if (route.screen === 'chat') await openChat(route.chat)
    expect(words()).toEqual(['Good evening, {{user}}.', 'Hello'])
    expect(chat().parent).toEqual({ chat: before.id, message: visibleMessages(before)[1]!.id })
    await openChat(before.id)
    expect(chat().messages).toEqual(before.messages)
  })

  test('gives a deleted message back', async () => {
    await stage('Holmes')
    await say('Hello')
    const before = words()
    await deleteMessage(chat(), last().id)
    expect(words()).toEqual(before.slice(0, -1))
    await useNotices.getState().notice?.undo?.()
    expect(words()).toEqual(before)
  })

  test('goes out as a file and comes in again with its role, its versions and a word on what was skipped', async () => {
    await stage('Holmes', { answers: ['One.', 'Two.'] })
    await say('Hello')
    await again()
    const { text } = exportOpenChat(chat())
    await importChatFile(new File([`${text}not a line\n`], 'evening.jsonl'))
    const route = readRoute(location.hash)
    if (route.screen === 'chat') await openChat(route.chat)
    expect(chat()).toMatchObject({ key: 'Holmes', title: 'evening' })
    expect(words()).toEqual(['Good evening, Watson.', 'Hello', 'Two.'])
    expect(last().takes.map((take) => take.text)).toEqual(['One.', 'Two.'])
    expect(useNotices.getState().notice?.text).toBe(
      '3 messages came in. Line 5 was skipped: it is not a JSON object.',
    )
  })
})

test('a storage that opens and then gives nothing leaves a page that says so', async () => {
  await openChats(() => Promise.resolve({ ...openMemoryLog(), list: refuse, read: refuse }))
  expect(useChats.getState()).toMatchObject({
    isListed: true,
    saveFailure: { code: 'storage-corrupt', message: 'the disk is broken' },
  })
  await openChat('somewhere')
  expect(useChats.getState()).toMatchObject({ open: null, missing: 'somewhere' })
})

test('a graphics card that computed known answers rightly is not asked again by the same browser', async () => {
  changeSettings({ soundDevice: null })
  const engine = await stage('Holmes')
  await retryEngine()
  changeSettings({ soundDevice: 'another card, or an older browser' })
  await retryEngine()
  expect(engine.loaded.map(({ isSound }) => isSound)).toEqual([false, true, false])
})

describe('without a graphics card', () => {
  test.each(['no-webgpu', 'no-adapter', 'no-device'] as const)(
    '%s: the processor answers, and it is known why',
    async (device) => {
      await stage('Holmes', { device })
      expect(useEngine.getState().info?.computing).toMatchObject({ path: 'wasm', why: device })
      await say('Hello')
      expect(words().at(-1)).toBe('Indeed.')
    },
  )

  test('what was measured is kept, and not measured again until that is asked for', async () => {
    changeSettings({ rates: {} })
    const engine = await stage('Holmes', { device: 'software' })
    const { rates } = useEngine.getState().info!.computing
    expect(engine.loaded.map((params) => params.rates)).toEqual([{}])
    await retryEngine()
    expect(engine.loaded.at(-1)?.rates).toEqual(rates)
    await measureAgain()
    expect(engine.loaded.at(-1)?.rates).toEqual({})
  })

  test('the way that was chosen is asked for', async () => {
    const engine = await stage('Holmes')
    await choosePath('wasm')
    expect(engine.loaded.map(({ path }) => path)).toEqual(['auto', 'wasm'])
    await choosePath('auto')
  })

  test('a loss is passed on, and so is what took the lost one’s place', async () => {
    const engine = await stage('Holmes')
    engine.tellDevice('needs-reload')
    expect(useEngine.getState().device).toBe('needs-reload')
    const info = useEngine.getState().info!
    engine.tellDevice('ready', { ...info, context: 77 })
    expect(useEngine.getState()).toMatchObject({ device: 'ready', info: { context: 77 } })
  })

  test('a load that fails is told with its code', async () => {
    await stage('Holmes', { loadFails: 'out-of-memory' })
    expect(useEngine.getState()).toMatchObject({ phase: 'failed', failure: { code: 'out-of-memory' } })
  })
})

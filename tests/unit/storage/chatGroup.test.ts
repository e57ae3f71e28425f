import { describe, expect, test } from 'vitest'

import { foldChat, summarize } from '../../../src/storage/chat.ts'
import { readChatEvents, writeChatEvents } from '../../../src/storage/chatEvents.ts'
import { readGroup } from '../../../src/storage/chatGroup.ts'
import { planRestore, restoreBackup } from '../../../src/storage/backup.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { groupEvents, groupSummary } from '../../support/keptGroup.ts'

const stored = groupEvents.find(({ kind }) => kind === 'group-changed')!['group'] as Record<string, unknown>
const [member] = stored['members'] as Record<string, unknown>[]
const text = groupEvents.map((event) => `${JSON.stringify(event)}\n`).join('')

describe('a chat of several', () => {
  test('goes into a backup and comes back from it as it was', async () => {
    const events = readChatEvents(text, 'chat')
    const lines = writeChatEvents(events).trim().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(groupEvents)
    const log = openMemoryLog()
    const stores = {
      log,
      library: { list: () => Promise.resolve([]) },
      cards: { list: () => Promise.resolve([]) },
    } as unknown as Parameters<typeof planRestore>[1]
    const part = { kind: 'chat', name: 'chat', file: new Blob([text]), details: null } as const
    await restoreBackup(await planRestore([part], stores, () => ''), stores)
    expect(await log.events(groupSummary.id)).toEqual(events)
    expect((await log.read(groupSummary.id))?.group?.members.map(({ name }) => name)).toEqual([
      'Sherlock Holmes',
      'Old Tom',
      'Orla',
    ])
  })

  test('keeps how cards are told as one, and how long they are silent', () => {
    const joined = { isWithMuted: false, prefix: '<', suffix: '>' }
    expect(readGroup({ ...stored, joined, pause: 2 })).toMatchObject({ joined, pause: 2 })
    for (const odd of [
      { joined: null, pause: 0 },
      { joined: { ...joined, suffix: 1 }, pause: '2' },
    ]) {
      const read = readGroup({ ...stored, ...odd })
      expect([read && 'joined' in read, read && 'pause' in read]).toEqual([false, false])
    }
  })

  test('is one of one where the others have gone', () => {
    const events = readChatEvents(text, 'chat')
    const left = { version: 1, chat: groupSummary.id, at: 2e12, kind: 'group-changed', group: null } as const
    const chat = foldChat([...events, left])!
    expect(chat.group).toBeNull()
    expect(summarize(chat)).not.toHaveProperty('company')
  })

  test.each([
    ['nobody', { ...stored, members: [] }],
    ['one alone', { ...stored, members: [member] }],
    ['nine', { ...stored, members: Array.from({ length: 9 }, () => member) }],
    ['members that are none', { ...stored, members: [member, 'Tom'] }],
    ['a member without a name', { ...stored, members: [member, { ...member, name: 1 }] }],
    ['a key that is none', { ...stored, members: [member, { ...member, role: 1 }] }],
    ['a mouth that is neither open nor shut', { ...stored, members: [member, { ...member, isMuted: 0 }] }],
    ['talkativeness beyond one', { ...stored, members: [member, { ...member, talkativeness: 1.5 }] }],
    ['an order that is not known', { ...stored, order: 'loudest' }],
    ['no scene', { ...stored, scene: null }],
    ['no word on whether they answer themselves', { ...stored, repliesToSelf: 1 }],
    ['a list', [member, member]],
  ])('cannot be of %s', (_, value) => {
    expect(readGroup(value)).toBeUndefined()
    const line = JSON.stringify({ version: 1, chat: 'c', at: 1, kind: 'group-changed', group: value })
    expect(() => readChatEvents(line, 'chat')).toThrow('line 1 is no event of a chat')
  })
})

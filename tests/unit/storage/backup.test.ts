import { describe, expect, test } from 'vitest'

import { memorySource } from '../../../src/formats/memorySource.ts'
import { readBackup } from '../../../src/formats/backup.ts'
import { writeCardJson } from '../../../src/formats/cardFile.ts'
import { writeCardPng } from '../../../src/formats/cardPng.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import { writeZip } from '../../../src/formats/zip.ts'
import { planRestore, restoreBackup, writeBackupFile } from '../../../src/storage/backup.ts'
import type { BackupStores, KeptPart } from '../../../src/storage/backup.ts'
import type { KeptCard } from '../../../src/storage/cardLibrary.ts'
import { readChatEvents, writeChatEvents } from '../../../src/storage/chatEvents.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import type { KeptPack } from '../../../src/storage/packLibrary.ts'
import type { ChatChange, Take } from '../../../src/storage/records.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { keptEvents } from '../../support/keptData.ts'
import { picture } from '../../support/png.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const CHAT = 'c'.repeat(24)
let made = 0
const newId = (): string => (++made).toString(16).padStart(24, '0')

/** Stores in memory: a visitor's device. */
function device(): BackupStores {
  const packs = new Map<string, { readonly pack: KeptPack; readonly file: Blob }>()
  const cards = new Map<string, KeptCard>()
  return {
    log: openMemoryLog(),
    library: {
      list: () => Promise.resolve([...packs.values()].map(({ pack }) => pack)),
      async add({ file, portraits = new Map(), addedAt = 0, ...pack }) {
        const bytes = new Uint8Array(await file.arrayBuffer())
        const read = await readPack(memorySource(pack.name, bytes))
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
        const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
        const roles = read.roles.map((role) => ({ ...role, vector: new Float32Array(0) }))
        const facts = { backbone: read.backbone, roles, provenance: {}, bytes: bytes.length, sha256 }
        const kept: KeptPack = { version: 1, ...pack, ...facts, portraits, addedAt }
        packs.set(pack.id, { pack: kept, file })
        return kept
      },
      change: (pack) => Promise.resolve(void packs.set(pack.id, { pack, file: packs.get(pack.id)!.file })),
      read: (id) => Promise.resolve(packs.get(id)!.file),
      remove: (id) => Promise.resolve(void packs.delete(id)),
    },
    cards: {
      list: () => Promise.resolve([...cards.values()]),
      add: (card) => Promise.resolve(void cards.set(card.id, card)),
      remove: (id) => Promise.resolve(void cards.delete(id)),
    },
  }
}

const take = (text: string): Take => ({
  id: newId(),
  text,
  at: 5,
  generation: {
    backbone: 'Tiny',
    key: 'Brine',
    strength: 1,
    seed: 7,
    promptTokens: 3,
    tokens: 2,
    tokensPerSecond: 1.5,
    context: 64,
    stop: 'end',
  },
})

const said = (text: string): ChatChange => ({
  kind: 'message-added',
  message: {
    id: newId(),
    speaker: 'role',
    name: 'Brine',
    key: 'Brine',
    excluded: false,
    takes: [take(text)],
    selected: 0,
  },
})

const begun: ChatChange = {
  kind: 'chat-created',
  key: 'Brine',
  title: 'Ferry',
  parent: null,
  metadata: null,
}

const partsOf = async (stores: BackupStores): Promise<readonly KeptPart[]> => {
  const file = await writeBackupFile(stores, { ...defaultSettings, userName: 'Watson' }, 0)
  const { parts } = await readBackup(new Uint8Array(await file.arrayBuffer()), 'backup.zip')
  return parts.map(({ kind, name, bytes, details = null }) => ({
    kind,
    name,
    file: new Blob([bytes.slice()]),
    details,
  }))
}

const texts = async ({ log }: BackupStores, chat: string): Promise<string[]> =>
  ((await log.read(chat))?.messages ?? []).map(({ takes }) => takes[0]!.text)

describe('a backup', () => {
  test('brings everything to another device, and nothing twice', async () => {
    const [here, there] = [device(), device()]
    const card = { name: 'Alice', description: 'A girl.', x_own: [1, { deep: true }] }
    const kept: KeptCard = {
      version: 1,
      id: newId(),
      name: 'Alice',
      card,
      original: { spec: 'chara_card_v3', spec_version: '3.0', data: card, x_beside: 1 },
      assets: new Map([['assets/a.bin', new Blob(['bytes'])]]),
      portrait: new Blob(['picture'], { type: 'image/png' }),
      fileName: 'alice.charx',
      addedAt: 3,
    }
    await here.cards.add(kept)
    const pack = { id: newId(), name: 'Evening', backboneId: 'starter', cast: ['Role 1'], addedAt: 4 }
    const portraits = new Map([['Role 1', new Blob(['face'], { type: 'image/png' })]])
    const file = new Blob([await writePack(tinyPack())])
    const cards = new Map([['Role 1', { name: 'Role 1', nickname: 'One', x_own: [1] }]])
    await here.library.add({ ...pack, origin: { kind: 'taught' }, portraits, cards, file })
    await here.log.append(CHAT, [begun, said('Mind the rope.')], 9)

    const parts = await partsOf(here)
    const plan = await planRestore(parts, there, newId)
    expect([plan.packs.length, plan.cards.length, plan.chats.length]).toEqual([1, 1, 1])
    expect(plan.settings?.userName).toBe('Watson')
    await restoreBackup(plan, there)
    expect(await there.library.list()).toEqual(await here.library.list())
    const [restored] = await there.cards.list()
    expect(restored).toMatchObject({ id: kept.id, card, original: { x_beside: 1 }, fileName: 'alice.charx' })
    expect(await restored?.portrait?.text()).toBe('picture')
    expect(await restored?.assets.get('assets/a.bin')?.text()).toBe('bytes')
    expect(await there.log.events(CHAT)).toEqual(await here.log.events(CHAT))

    const again = await planRestore(parts, there, newId)
    expect(again).toMatchObject({
      packs: [],
      cards: [],
      chats: [],
      present: { packs: 1, cards: 1, chats: 1 },
    })
  })

  test('brings a company beside another of the same name, and of the same id', async () => {
    const [here, there] = [device(), device()]
    const pack = { id: newId(), name: 'Evening', backboneId: 'starter', cast: ['Role 1'] }
    const origin = { kind: 'taught' } as const
    await here.library.add({ ...pack, origin, file: new Blob([await writePack(tinyPack({ seed: 1 }))]) })
    await there.library.add({ ...pack, origin, file: new Blob([await writePack(tinyPack({ seed: 2 }))]) })
    await restoreBackup(await planRestore(await partsOf(here), there, newId), there)
    const both = await there.library.list()
    expect(both.map(({ name }) => name)).toEqual(['Evening', 'Evening'])
    expect(new Set(both.map(({ id }) => id)).size).toBe(2)
    const [own] = await here.library.list()
    expect(both.map(({ sha256 }) => sha256)).toContain(own!.sha256)
  })

  test('continues a chat that went on in it, and leaves one that went on here', async () => {
    const [here, there] = [device(), device()]
    await here.log.append(CHAT, [begun, said('One.')], 1)
    await restoreBackup(await planRestore(await partsOf(here), there, newId), there)
    const early = await partsOf(here)
    await here.log.append(CHAT, [said('Two.')], 2)
    const plan = await planRestore(await partsOf(here), there, newId)
    expect(plan.chats).toMatchObject([{ kind: 'more' }])
    await restoreBackup(plan, there)
    expect(await texts(there, CHAT)).toEqual(['One.', 'Two.'])
    expect((await planRestore(early, there, newId)).chats).toEqual([])
  })

  test('keeps side by side what went on in both places', async () => {
    const [here, there] = [device(), device()]
    await here.log.append(CHAT, [begun, said('One.')], 1)
    await restoreBackup(await planRestore(await partsOf(here), there, newId), there)
    await here.log.append(CHAT, [said('Here.')], 2)
    await there.log.append(CHAT, [said('There.')], 2)
    const plan = await planRestore(await partsOf(here), there, newId)
    expect(plan.chats).toMatchObject([{ kind: 'other' }])
    await restoreBackup(plan, there)
    expect(await texts(there, CHAT)).toEqual(['One.', 'There.'])
    expect((await planRestore(await partsOf(here), there, newId)).chats).toEqual([])
    const other = (await there.log.list()).find(({ id }) => id !== CHAT)
    expect(await texts(there, other!.id)).toEqual(['One.', 'Here.'])
  })

  test('leaves deleted chats out', async () => {
    const here = device()
    await here.log.append(CHAT, [begun, { kind: 'chat-deleted' }], 1)
    expect((await partsOf(here)).map(({ kind }) => kind)).toEqual(['settings'])
  })

  test('with a chat that is none is refused whole', async () => {
    const file = new Blob([`{"kind":"chat-created","version":1,"chat":"${CHAT}","at":1}\n`])
    const part: KeptPart = { kind: 'chat', name: 'Evening', file, details: null }
    await expect(planRestore([part], device(), newId)).rejects.toMatchObject({ code: 'format-invalid' })
  })
})

const planned = (bytes: Uint8Array<ArrayBuffer>, name: string) =>
  planRestore([{ kind: 'role', name, file: new Blob([bytes]), details: null }], device(), newId)

describe('a card in a backup', () => {
  test('is JSON: neither pictures nor archives are opened for it', async () => {
    const card = { name: 'Alice', description: 'A girl.' }
    expect((await planned(writeCardJson(card), 'Alice')).cards).toMatchObject([{ name: 'Alice', card }])
    for (const bytes of [
      writeCardPng(card, picture()),
      writeZip([{ path: 'card.json', bytes: writeCardJson(card) }]),
    ]) {
      await expect(planned(bytes, 'Alice')).rejects.toThrow(/^Alice is a (?:picture|zip archive)\b/)
    }
  })
})

describe('a chat’s log as text', () => {
  const changes: readonly ChatChange[] = [
    { ...begun, parent: { chat: 'a', message: 'b' }, metadata: '{}' },
    { kind: 'chat-titled', title: 'T' },
    { kind: 'scene-changed', key: null, strength: 1.2 },
    said('Aye.'),
    { kind: 'take-added', message: 'm', take: take('No.') },
    { kind: 'take-selected', message: 'm', take: 't' },
    { kind: 'take-edited', message: 'm', take: 't', text: 'x', generation: null },
    { kind: 'messages-deleted', messages: ['m'] },
    { kind: 'messages-restored', messages: ['m'] },
    { kind: 'note-changed', note: { text: 'Rain.', depth: 0, every: 2 } },
    { kind: 'note-changed', note: null },
    { kind: 'facts-changed', facts: ['It rains.'] },
    { kind: 'recap-changed', recap: { text: 'They met.', until: 'm' } },
    { kind: 'recap-changed', recap: null },
    { kind: 'books-changed', books: [{ name: 'Coast', text: '{"entries":[]}' }] },
    { kind: 'chat-deleted' },
    { kind: 'chat-restored' },
  ]

  test('comes back as it was, whatever happened', () => {
    const events = changes.map((change) => ({ ...change, version: 1 as const, chat: CHAT, at: 2 }))
    expect(readChatEvents(writeChatEvents(events), 'a chat')).toEqual(events)
  })

  test('has the form of the first builds, both ways', () => {
    const text = keptEvents.map((event) => `${JSON.stringify(event)}\n`).join('')
    const events = readChatEvents(text, 'a chat')
    expect(events[0]).toMatchObject({ kind: 'chat-created', key: 'Sherlock Holmes' })
    const lines = writeChatEvents(events).trimEnd().split('\n')
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(keptEvents)
  })

  test.each([
    '7',
    '{"kind":"chat-titled","title":7,"version":1,"chat":"c","at":1}',
    '{"kind":"unheard-of","version":1,"chat":"c","at":1}',
    '{"kind":"chat-deleted","version":2,"chat":"c","at":1}',
    '{"kind":"message-added","message":{"id":"m","takes":[]},"version":1,"chat":"c","at":1}',
    '{"kind":"messages-deleted","messages":[7],"version":1,"chat":"c","at":1}',
    '{"kind":"chat-deleted","version":1,"chat":"c","at":null}',
    '{"kind":"note-changed","note":{"text":"a"},"version":1,"chat":"c","at":1}',
    '{"kind":"facts-changed","facts":[7],"version":1,"chat":"c","at":1}',
    '{"kind":"recap-changed","recap":{"text":"a"},"version":1,"chat":"c","at":1}',
    '{"kind":"books-changed","books":[{"name":"a"}],"version":1,"chat":"c","at":1}',
  ])('is no event: %s', (line) => {
    expect(() => readChatEvents(line, 'a chat')).toThrow(/line 1/)
  })
})

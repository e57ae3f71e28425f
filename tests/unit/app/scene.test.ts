import { describe, expect, test } from 'vitest'

import { remark } from '../../../src/core/remarks.ts'
import { chatNames, stageChat, stopsFor } from '../../../app/stores/chat/scene.ts'
import { stageVisitor } from '../../../app/stores/chat/visitorScene.ts'
import { visitorOf } from '../../../app/stores/page/visitor.ts'
import { cardMember } from '../../../src/cast/member.ts'
import { foldChat } from '../../../src/storage/chat.ts'
import type { ChatChange, ChatSource, NewMessage } from '../../../src/storage/records.ts'

const orla = cardMember({
  id: 'a'.repeat(24),
  name: 'Orla',
  card: { name: 'Orla', description: '{{char}} keeps {{random:a cat,a dog}} for {{user}}.' },
  portrait: null,
  fileName: 'orla.json',
})

/** A chat of who said what; `role:` names are kept, `user` is the visitor. */
function chatOf(
  lines: readonly (readonly [name: string, text: string])[],
  { key = orla.key, source }: { readonly key?: string | null; readonly source?: ChatSource } = {},
) {
  const common = { version: 1, chat: 'c', at: Date.UTC(2026, 4, 3) } as const
  const created: ChatChange = {
    kind: 'chat-created',
    key,
    title: null,
    parent: null,
    metadata: null,
    ...(source && { source }),
  }
  const messages = lines.map(([name, text], index): ChatChange => {
    const message: NewMessage = {
      id: `m${index}`,
      speaker: name === 'Mira' ? 'user' : 'role',
      name,
      key: name === 'Orla' ? key : null,
      excluded: false,
      takes: [{ id: `t${index}`, text, at: common.at, generation: null }],
      selected: 0,
    }
    return { kind: 'message-added', message }
  })
  return foldChat([created, ...messages].map((change) => ({ ...change, ...common })))!
}

const ANNA = { name: 'Anna', description: '' }
const KNOWN = {
  userName: 'Anna',
  userDescription: 'A guest.',
  personas: [{ id: 'p', name: 'Brack', description: '{{user}} steers for {{char}}.' }],
}
const SOURCE = { user: 'Mira', character: 'Selma', header: '{}' }
const turns = (chat: ReturnType<typeof chatOf>, member = chat.key === null ? undefined : orla) =>
  stageChat(chat, { member, visitor: ANNA }).scene.turns

describe('what is sent', () => {
  test('is a line of a card, or all of it', () => {
    const chat = chatOf([['Mira', 'Hi']])
    const sceneOf = (isWhole: boolean) => stageChat(chat, { member: orla, visitor: ANNA, isWhole }).scene
    expect(sceneOf(false).system).toMatch(
      /^You are Orla\. Orla keeps a (cat|dog) for Anna\. Speak only as Orla\.$/,
    )
    expect(sceneOf(false).script).toBeUndefined()
    expect(sceneOf(true).system).toBe('You are Orla, in a chat with Anna. Answer as Orla and as nobody else.')
    expect(sceneOf(true).script?.texts.description).toMatch(/^Orla keeps a (cat|dog) for Anna\.$/)
  })

  test('has the macros of a character filled, and what the visitor wrote as it is', () => {
    const chat = chatOf([
      ['Orla', '{{char}} waves at {{user}}. {{// hm}}{{roll:d1}} {{isodate}}'],
      ['Mira', 'Write <user> and {{char}} for me.'],
    ])
    expect(turns(chat)).toEqual([
      { speaker: 'role', text: 'Orla waves at Anna. 1 2026-05-03' },
      { speaker: 'user', text: 'Write <user> and {{char}} for me.' },
    ])
  })

  test('draws by lot once: every look at a message gives the same', () => {
    const chat = chatOf([['Orla', '{{random:1,2,3,4,5,6,7,8,9}}'.repeat(8)]])
    const [first] = turns(chat)
    expect(first?.text).toMatch(/^\d{8}$/)
    expect(turns(chat)[0]).toEqual(first)
    const { system } = stageChat(chat, { member: orla, visitor: ANNA }).scene
    expect(system).toMatch(/^You are Orla\. Orla keeps a (?:cat|dog) for Anna\. Speak only as Orla\.$/)
    expect(stageChat(chat, { member: orla, visitor: ANNA }).scene.system).toBe(system)
  })

  test('says of others what they say under their names', () => {
    const chat = chatOf(
      [
        ['Orla', 'The lamp is out.'],
        ['Bram', '{{char}} says: then we drown.'],
        ['Mira', 'Who has matches?'],
        ['Bram', 'Not me.'],
      ],
      { source: SOURCE },
    )
    expect(turns(chat)).toEqual([
      { speaker: 'role', text: 'The lamp is out.' },
      { speaker: 'user', text: 'Bram: Bram says: then we drown.' },
      { speaker: 'user', text: 'Who has matches?' },
      { speaker: 'user', text: 'Bram: Not me.' },
    ])
  })

  test('carries on whoever spoke last', () => {
    const chat = chatOf([['Bram', 'Not']], { source: SOURCE })
    const { scene } = stageChat(chat, { member: orla, visitor: ANNA, target: 'm0', continueTarget: true })
    expect(scene.turns).toEqual([{ speaker: 'role', text: 'Not' }])
  })

  test('is the bare model’s own, whoever said it before', () => {
    expect(turns(chatOf([['Bram', 'Not me.']], { key: null }))).toEqual([
      { speaker: 'role', text: 'Not me.' },
    ])
  })
})

describe('a chat whose character is not here', () => {
  const chat = chatOf(
    [
      ['Selma', '{{char}} waves at {{user}}.'],
      ['Bram', 'Hm.'],
    ],
    { key: null, source: SOURCE },
  )

  test('keeps the names that its file has', () => {
    expect(chatNames(chat, undefined, visitorOf(chat, KNOWN))).toEqual({
      user: 'Mira',
      character: 'Selma',
      persona: '',
    })
    expect(chatNames({ key: null, source: null, group: null }, undefined, ANNA)).toEqual({
      user: 'Anna',
      character: 'Nobody',
      persona: '',
    })
    const heard = stageChat(chat, { member: undefined, visitor: visitorOf(chat, KNOWN) }).scene.turns
    expect(heard).toEqual([
      { speaker: 'role', text: 'Selma waves at Mira.' },
      { speaker: 'user', text: 'Bram: Hm.' },
    ])
  })
})

describe('the visitor’s own line', () => {
  const chat = chatOf([
    ['Orla', 'Who is there?'],
    ['Mira', 'A guest.'],
    ['Orla', 'Which?'],
  ])
  const visitor = { name: 'Anna', description: '{{user}} limps.' }

  test('is asked of the bare model with the speakers exchanged', () => {
    const { scene, names } = stageVisitor(chat, { member: orla, visitor, written: ' ' })
    expect(scene).toMatchObject({ role: null, continueLast: false })
    expect(scene.system).toMatch(/^You are Anna, in a chat with Orla\..*\n\nAbout Anna:\nAnna limps\.$/s)
    expect(scene.turns).toEqual([
      { speaker: 'user', text: 'Who is there?' },
      { speaker: 'role', text: 'A guest.' },
      { speaker: 'user', text: 'Which?' },
    ])
    expect(stopsFor(['\n{{user}}:', '{{persona}}'], names)).toEqual(['\nOrla:'])
  })

  test('goes on behind what is written of it', () => {
    const { scene } = stageVisitor(chat, { member: orla, visitor, written: 'The one' })
    expect(scene.turns.at(-1)).toEqual({ speaker: 'role', text: 'The one' })
    expect(scene.continueLast).toBe(true)
  })
})

describe('whom the visitor is', () => {
  const own = { persona: null, source: null }

  test('is a persona where the chat has chosen one that is here, else themselves', () => {
    expect(visitorOf({ ...own, persona: 'p' }, KNOWN)).toMatchObject({ name: 'Brack' })
    expect(visitorOf({ persona: 'p', source: SOURCE }, KNOWN)).toMatchObject({ name: 'Brack' })
    expect(visitorOf({ ...own, persona: 'gone' }, KNOWN)).toEqual({ name: 'Anna', description: 'A guest.' })
    expect(visitorOf({ ...own, source: SOURCE }, KNOWN)).toEqual({ name: 'Mira', description: '' })
    const alike = { ...SOURCE, user: 'Anna' }
    expect(visitorOf({ ...own, source: alike }, KNOWN)).toEqual({ name: 'Anna', description: 'A guest.' })
  })

  test('fills both macros, and is told where the model has room', () => {
    const chat = chatOf([['Orla', '{{user}}: {{persona}}']])
    const options = { member: orla, visitor: visitorOf({ ...own, persona: 'p' }, KNOWN) }
    const whole = stageChat(chat, { ...options, isWhole: true })
    expect(whole.scene.turns).toEqual([{ speaker: 'role', text: 'Brack: Brack steers for Orla.' }])
    expect(whole.scene.script?.texts.persona).toBe('About Brack:\nBrack steers for Orla.')
    expect(whole.unsaid).toEqual([])
    expect(stageChat(chat, options).unsaid).toEqual([remark('part.persona')])
  })
})

import { HOLMES, TOM, tom } from './keptData.ts'

/* A chat of several as builds have kept it since several can play. */

const GROUP = 'a41f6c0be2795d38f1c04b7e'

/** A chat of several, in both stores as builds write it since several can play. */
export const groupEvents: readonly Readonly<Record<string, unknown>>[] = [
  {
    kind: 'chat-created',
    role: null,
    title: null,
    parent: null,
    metadata: null,
    version: 1,
    chat: GROUP,
    at: 1796061600000,
  },
  {
    kind: 'group-changed',
    group: {
      members: [
        { role: HOLMES, name: HOLMES, isMuted: false, talkativeness: null },
        { role: TOM, name: 'Old Tom', isMuted: true, talkativeness: 0.25, file: 'Tom.png' },
        { role: null, name: 'Orla', isMuted: false, talkativeness: null },
      ],
      order: 'natural',
      repliesToSelf: false,
      scene: 'The ferry, {{user}} aboard.',
      foreign: '{"id":"1700000000000","chats":["one"]}',
    },
    version: 1,
    chat: GROUP,
    at: 1796061600000,
  },
  {
    kind: 'message-added',
    message: {
      speaker: 'role',
      name: 'Old Tom',
      role: TOM,
      id: '52d81a0b6bd8c8c1eb50b6f5',
      excluded: false,
      takes: [{ id: '9ab03f9c7a17f0cf73ac5e38', text: 'Mind the rope.', at: 1796061600000, generation: tom }],
      selected: 0,
    },
    version: 1,
    chat: GROUP,
    at: 1796061600000,
  },
]

export const groupSummary = {
  version: 1,
  id: GROUP,
  role: null,
  company: [
    { role: HOLMES, name: HOLMES },
    { role: TOM, name: 'Old Tom' },
    { role: null, name: 'Orla' },
  ],
  title: 'New chat',
  lastText: 'Mind the rope.',
  messages: 1,
  started: true,
  deleted: false,
  createdAt: 1796061600000,
  updatedAt: 1796061600000,
}

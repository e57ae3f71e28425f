// What is sent to the engine for the visitor's own line, which the model writes for them. Pure functions, no state.
import type { Turn } from '../../../src/core/dialogue.ts'
import type { Scene } from '../../../src/play/scene.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import type { Visitor } from '../page/visitor.ts'
import { chatNames, stageChat } from './scene.ts'
import type { ChatNames } from './scene.ts'

/** A chat seen from the visitor's side. */
export interface VisitorStaging {
  readonly scene: Scene
  /** Who speaks and who is spoken to have changed places. */
  readonly names: ChatNames
}

/**
 * The scene of a chat in which the bare model plays the visitor: the same turns with their speakers exchanged, behind a line
 * on who the visitor is. What they have begun to write is carried on.
 */
export function stageVisitor(
  chat: Chat,
  {
    member,
    visitor,
    written,
  }: { readonly member: CastMember | undefined; readonly visitor: Visitor; readonly written: string },
): VisitorStaging {
  const names = chatNames(chat, member, visitor)
  const { user, character, persona } = names
  const { scene, messages } = stageChat(chat, { member, visitor })
  const own = new Set(chat.messages.filter(({ speaker }) => speaker === 'user').map(({ id }) => id))
  const turns = scene.turns.map(({ text }, index): Turn => {
    return { speaker: own.has(messages[index] ?? '') ? 'role' : 'user', text }
  })
  const begun: readonly Turn[] = written.trim() === '' ? [] : [{ speaker: 'role', text: written }]
  const line = `You are ${user}, in a chat with ${character}. Say in a sentence or two what ${user} says next, and nothing of what ${character} says or does.`
  return {
    scene: {
      role: null,
      strength: 1,
      system: persona ? `${line}\n\nAbout ${user}:\n${persona}` : line,
      turns: [...turns, ...begun],
      continueLast: begun.length > 0,
    },
    names: { user: character, character: user, persona: '' },
  }
}

// What is sent to the engine for a chat. Pure functions, no state.
import type { Scene } from '../../../src/play/scene.ts'
import type { PackRef } from '../../../src/formats/packFacts.ts'
import type { Turn } from '../../../src/core/dialogue.ts'
import type { Chat, Message } from '../../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { nameInKey } from '../../../src/cast/key.ts'
import { fillMacros } from '../../../src/cast/macros.ts'

/** A scene with the messages behind its turns. */
export interface Staging {
  readonly scene: Scene
  /** The message of each turn, so that a cut of the context can be shown where it falls. */
  readonly messages: readonly string[]
}

export interface StagingOptions {
  readonly member: CastMember | undefined
  readonly userName: string
  /** The pack of a member who joined the company here. */
  readonly pack?: PackRef | undefined
  /** The message that is to be answered anew, or carried on; without it the chat is answered. */
  readonly target?: string
  readonly continueTarget?: boolean
}

/** The name that stands for `{{char}}` in a chat. */
export function characterName(member: CastMember | undefined, key: string | null): string {
  return member?.displayName ?? (key === null ? 'Nobody' : nameInKey(key))
}

/**
 * The scene of a chat: who plays, how strongly, and every message that counts, up to the target. A role without
 * trained weights is played by the bare backbone with the card's text.
 */
export function stageChat(
  chat: Chat,
  { member, userName, pack, target, continueTarget = false }: StagingOptions,
): Staging {
  const names = { user: userName, character: characterName(member, chat.key) }
  const counted = messagesBefore(visibleMessages(chat), target, continueTarget).filter(
    (message) => !message.excluded,
  )
  const spoken = counted
    .map((message) => ({ id: message.id, turn: turnOf(message, names) }))
    .filter(({ turn }) => turn.text.trim() !== '')
  const hasWeights = chat.key !== null && member?.isTrained !== false
  const cardLine = member?.cardLine ? fillMacros(member.cardLine, names) : null
  return {
    scene: {
      role: hasWeights ? (member?.role ?? chat.key) : null,
      ...(hasWeights && pack && { pack }),
      strength: chat.strength,
      ...(!hasWeights && { system: cardLine }),
      turns: spoken.map(({ turn }) => turn),
      continueLast: continueTarget,
    },
    messages: spoken.map(({ id }) => id),
  }
}

function messagesBefore(
  messages: readonly Message[],
  target: string | undefined,
  inclusive: boolean,
): readonly Message[] {
  const index = messages.findIndex((message) => message.id === target)
  return index < 0 ? messages : messages.slice(0, inclusive ? index + 1 : index)
}

function turnOf(message: Message, names: { readonly user: string; readonly character: string }): Turn {
  return { speaker: message.speaker, text: fillMacros(selectedTake(message).text, names) }
}

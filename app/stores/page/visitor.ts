// Whom the visitor is. No state: `useSettings` has it, and each chat says which of them.
import type { Chat } from '../../../src/storage/chat.ts'
import type { Persona, Settings } from '../../../src/storage/records.ts'
import { changeSettings, useSettings } from './settings.ts'

/** The visitor, as a chat has them. */
export type Visitor = Pick<Persona, 'name' | 'description'>

type Known = Pick<Settings, 'userName' | 'userDescription' | 'personas'>

/** Whom the visitor is in a chat: the persona chosen for it, or themselves, under the name that its file has. */
export function visitorOf({ persona, source }: Pick<Chat, 'persona' | 'source'>, known: Known): Visitor {
  const chosen = known.personas.find(({ id }) => id === persona)
  if (chosen) return chosen
  const { userName, userDescription } = known
  const name = source?.user || userName
  return { name, description: name === userName ? userDescription : '' }
}

/** Whom the visitor is in a chat now. */
export function visitorIn(chat: Pick<Chat, 'persona' | 'source'>): Visitor {
  return visitorOf(chat, useSettings.getState())
}

/** What whoever begins new chats is called. */
export function usualName({ persona, personas, userName }: Settings): string {
  return personas.find(({ id }) => id === persona)?.name ?? userName
}

/** Changes a persona; null is the visitor themselves, who have a name in any case. */
export function changePersona(id: string | null, changes: Partial<Visitor>): void {
  const name = changes.name?.trim()
  const { personas, userDescription } = useSettings.getState()
  if (id === null) {
    const description = changes.description ?? userDescription
    changeSettings({
      userDescription: description,
      ...(name !== undefined && { userName: name || 'stranger' }),
    })
    return
  }
  const changed = { ...changes, ...(name !== undefined && { name: name || 'stranger' }) }
  changeSettings({ personas: personas.map((one) => (one.id === id ? { ...one, ...changed } : one)) })
}

// The visitor's personas: made, chosen for new chats, deleted. No state: `useSettings` has them.
import type { Persona, Settings } from '../../../src/storage/records.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { newId } from './newId.ts'
import { notify } from './notices.ts'
import { changeSettings, useSettings } from './settings.ts'
import { storeText } from '../../words/store.ts'

/** Makes a persona, and says its id. */
export function addPersona(): string {
  const { personas } = useSettings.getState()
  const persona: Persona = { id: newId(), name: nameAmong(personas), description: '' }
  changeSettings({ personas: [...personas, persona] })
  return persona.id
}

function nameAmong(personas: readonly Persona[]): string {
  const names = new Set(personas.map(({ name }) => name))
  let number = personas.length + 1
  while (names.has(storeText('persona.name', { number }))) number++
  return storeText('persona.name', { number })
}

/** Deletes a persona, and offers to take that back; its chats go on under the visitor's own name. */
export function deletePersona(id: string): void {
  const { personas, persona } = useSettings.getState()
  const deleted = personas.find((one) => one.id === id)
  if (!deleted) return
  const isUsual = persona === id
  changeSettings({ personas: personas.filter((one) => one !== deleted), ...(isUsual && { persona: null }) })
  notify(storeText('persona.deleted', { name: deleted.name }), async () => {
    const { personas: others } = useSettings.getState()
    changeSettings({ personas: [...others, deleted], ...(isUsual && { persona: id }) })
  })
}

/** Those of a backup's that are not here. */
export function missingPersonas(kept: readonly Persona[], here: readonly Persona[]): readonly Persona[] {
  return kept.filter(({ id }) => !here.some((one) => one.id === id))
}

/** What settings of a backup add to those here: personas, favourites, voices, and who the visitor is where nobody has said it here. */
export function addedBy(kept: Settings, here: Settings): Partial<Settings> {
  const { userName, userDescription } = defaultSettings
  const isUnsaid = here.userName === userName && here.userDescription === userDescription
  return {
    favourites: [...new Set([...here.favourites, ...kept.favourites])],
    voices: { ...kept.voices, ...here.voices },
    personas: [...here.personas, ...missingPersonas(kept.personas, here.personas)],
    ...(isUnsaid && { userName: kept.userName, userDescription: kept.userDescription }),
  }
}

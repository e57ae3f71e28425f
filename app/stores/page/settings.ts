// Scope: document. What the visitor has chosen; kept.
import { create } from 'zustand'

import type { ReadingVoice, Settings } from '../../../src/storage/records.ts'
import { defaultSettings, loadSettings, saveSettings } from '../../../src/storage/settings.ts'
import type { Mood, SamplerOption } from './moods.ts'

export const useSettings = create<Settings>()(() => defaultSettings)

/** Takes over what was kept, and puts the theme on the page. */
export async function openSettings(): Promise<void> {
  useSettings.setState(await loadSettings(), true)
  showTheme()
}

/** Changes and keeps some of the settings. */
export function changeSettings(changes: Partial<Omit<Settings, 'version'>>): void {
  useSettings.setState(changes)
  showTheme()
  // A browser without storage keeps the choice as long as the page; there is nothing better to offer.
  saveSettings(useSettings.getState()).catch(() => undefined)
}

/** Takes a mood, and its numbers. */
export function chooseMood(mood: Mood): void {
  changeSettings({ mood, overrides: {} })
}

/** Puts somebody first in the cast, or back among the others. */
export function setFavourite(key: string, isFavourite: boolean): void {
  const others = useSettings.getState().favourites.filter((one) => one !== key)
  changeSettings({ favourites: isFavourite ? [...others, key] : others })
}

/** Chooses how somebody sounds. */
export function chooseVoice(key: string, voice: ReadingVoice): void {
  changeSettings({ voices: { ...useSettings.getState().voices, [key]: voice } })
}

/** Sets one sampler; back at its own value, which the mood gives it, it is no longer an exception. */
export function setSampler(sampler: SamplerOption, value: number, own: number): void {
  const { overrides } = useSettings.getState()
  const others = Object.fromEntries(Object.entries(overrides).filter(([key]) => key !== sampler))
  changeSettings({ overrides: value === own ? others : { ...others, [sampler]: value } })
}

function showTheme(): void {
  const { theme } = useSettings.getState()
  const { dataset } = document.documentElement
  if (theme === 'system') delete dataset['theme']
  else dataset['theme'] = theme
}

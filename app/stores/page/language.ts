// Scope: live. What the page speaks: as the browser's languages say, or as was chosen in the settings.
import { create } from 'zustand'

import type { PageLanguage } from '../../../src/storage/records.ts'
import { fetchWords, languageFor, speakLanguage } from '../../words/catalogue.ts'
import { useSettings } from './settings.ts'

interface LanguageState {
  readonly language: PageLanguage
}

/** Whoever shows texts and stands behind a `memo` listens to this; the rest is drawn again with the whole page. */
export const useLanguage = create<LanguageState>()(() => ({ language: 'en' }))

/** Speaks the visitor's language, and follows the choice and the browser from now on. */
export async function openLanguage(): Promise<void> {
  useSettings.subscribe((now, before) => {
    if (now.language !== before.language) void follow()
  })
  window.addEventListener('languagechange', () => void follow())
  await follow()
}

function wished(): PageLanguage {
  const { language } = useSettings.getState()
  return language === 'system' ? languageFor(navigator.languages) : language
}

async function follow(): Promise<void> {
  const language = wished()
  try {
    await fetchWords(language)
  } catch {
    // Off line, in a language that was never spoken here: the page stays as it is.
    return
  }
  if (language !== wished()) return
  speakLanguage(language)
  document.documentElement.lang = language
  useLanguage.setState({ language })
}

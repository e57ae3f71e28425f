import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import type { EngineClient } from '../src/engine/client.ts'
import { App } from './App.tsx'
import { watchLinks } from './stores/exchange/arrivals.ts'
import { openCast } from './stores/company/cast.ts'
import { openChats } from './stores/chat/chats.ts'
import { startEngine } from './stores/engine/engine.ts'
import { watchLaunches } from './stores/exchange/launches.ts'
import { watchFirstNight } from './stores/exchange/firstNight.ts'
import { listGuests } from './stores/company/guests.ts'
import { watchClosing } from './stores/chat/generation.ts'
import { watchLines } from './stores/teach/lines.ts'
import { watchPreview } from './stores/chat/preview.ts'
import { watchRoute } from './stores/page/route.ts'
import { openLanguage } from './stores/page/language.ts'
import { watchInstall } from './stores/page/install.ts'
import { openSettings } from './stores/page/settings.ts'
import { openTraining } from './stores/teach/training.ts'
import './theme.css'

/** Puts the page into `root` and starts the engine behind it; what is returned takes the page out again. */
export async function startApp(root: HTMLElement, connect: () => EngineClient): Promise<() => void> {
  watchRoute()
  watchPreview()
  watchClosing()
  watchLines()
  watchFirstNight()
  watchLinks()
  watchLaunches()
  watchInstall()
  // Theme and language come with the settings: they are read first, so that the page does not flash.
  await Promise.all([openSettings().then(openLanguage), openChats()])
  const page = createRoot(root)
  page.render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
  // Without the cards the pack's roles still come with the model.
  await Promise.all([
    openCast().catch(() => undefined),
    // Without storage there is no earlier run and nobody was kept.
    listGuests()
      .then(openTraining)
      .catch(() => undefined),
    // Without this part summaries do not go on by themselves.
    watchRecapLater().catch(() => undefined),
    startEngine(connect),
  ])
  // The page itself is kept behind what it needs first; a development server's is another with every change.
  if (import.meta.env.PROD) void keepPageLater()
  return () => page.unmount()
}

async function watchRecapLater(): Promise<void> {
  const { watchRecap } = await import('./stores/chat/recapWatch.ts')
  watchRecap()
}

async function keepPageLater(): Promise<void> {
  const { keepPage } = await import('./stores/exchange/keepPage.ts')
  await keepPage()
}

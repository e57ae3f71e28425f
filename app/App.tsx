import { lazy, Suspense, useEffect, useRef } from 'react'

import styles from './App.module.css'
import { DropPlace } from './arrivals/DropPlace.tsx'
import { CastScreen } from './cast/CastScreen.tsx'
import { ChatScreen } from './chat/ChatScreen.tsx'
import { ErrorBoundary } from './shared/ErrorBoundary.tsx'
import { LoadLine } from './shared/LoadLine.tsx'
import { Toast } from './shared/Toast.tsx'
import { useArrivals } from './stores/exchange/arrivals.ts'
import { useShare } from './stores/exchange/share.ts'
import { laterPart } from './stores/page/laterPart.ts'
import { findMember, useCast } from './stores/company/cast.ts'
import { useChats } from './stores/chat/chats.ts'
import { characterIn } from './stores/chat/scene.ts'
import { useRoute } from './stores/page/route.ts'
import type { Route } from './stores/page/route.ts'
import { useSession } from './stores/page/session.ts'
import { useNarrow } from './shared/useNarrow.ts'
import { sharedText } from './words/shared.ts'
import { useLanguage } from './stores/page/language.ts'

/** Screens that few visits open come when they are opened. */
const TeachScreen = lazy(async () => {
  const { TeachScreen: screen } = await laterPart(() => import('./teach/TeachScreen.tsx'))
  return { default: screen }
})
const BlendScreen = lazy(async () => {
  const { BlendScreen: screen } = await laterPart(() => import('./blend/BlendScreen.tsx'))
  return { default: screen }
})
const GroupScreen = lazy(async () => {
  const { GroupScreen: screen } = await laterPart(() => import('./group/GroupScreen.tsx'))
  return { default: screen }
})
const MapScreen = lazy(async () => {
  const { MapScreen: screen } = await laterPart(() => import('./map/MapScreen.tsx'))
  return { default: screen }
})
const SearchScreen = lazy(async () => {
  const { SearchScreen: screen } = await laterPart(() => import('./search/SearchScreen.tsx'))
  return { default: screen }
})
const ScienceScreen = lazy(async () => {
  const { ScienceScreen: screen } = await laterPart(() => import('./science/ScienceScreen.tsx'))
  return { default: screen }
})

const BenchScreen = lazy(async () => {
  const { BenchScreen: screen } = await laterPart(() => import('./bench/BenchScreen.tsx'))
  return { default: screen }
})

/** So do the drawer, and the sheets for files that come in and for what goes out. */
const Backstage = lazy(async () => {
  const { Backstage: drawer } = await laterPart(() => import('./backstage/Backstage.tsx'))
  return { default: drawer }
})

const ArrivalSheet = lazy(async () => {
  const { ArrivalSheet: sheet } = await laterPart(() => import('./arrivals/ArrivalSheet.tsx'))
  return { default: sheet }
})

const ShareSheet = lazy(async () => {
  const { ShareSheet: sheet } = await laterPart(() => import('./share/ShareSheet.tsx'))
  return { default: sheet }
})

/** The whole page: one screen, the drawer beside it, the load line above and the last deed below. */
export function App() {
  const route = useRoute()
  const isBackstageOpen = useSession((state) => state.isBackstageOpen)
  const hasArrivals = useArrivals((state) => state.phase !== 'none')
  const isSharing = useShare((state) => state.subject !== null)
  const isNarrow = useNarrow()
  useTitle(route.screen)
  // Texts are said anew when the page is drawn; this draws it when it speaks another language.
  useLanguage()
  return (
    <ErrorBoundary>
      <LoadLine hasWords={route.screen !== 'chat'} />
      <div className={[styles.stage, isBackstageOpen ? styles.open : ''].join(' ')}>
        {/* On a phone the drawer covers the screen, which then must not be reached behind it. */}
        <div className={styles.screen} inert={isBackstageOpen && isNarrow}>
          <Suspense>
            <Screen route={route} />
            <Arrival screen={route.screen} />
          </Suspense>
        </div>
        {isBackstageOpen && (
          <div className={styles.drawer}>
            <Suspense>
              <Backstage />
            </Suspense>
          </div>
        )}
      </div>
      <DropPlace />
      <Suspense>
        {hasArrivals && <ArrivalSheet />}
        {isSharing && <ShareSheet />}
      </Suspense>
      <Toast isRaised={route.screen === 'chat'} />
    </ErrorBoundary>
  )
}

function Screen({ route }: { readonly route: Route }) {
  switch (route.screen) {
    case 'cast':
      return <CastScreen />
    case 'chat':
      return <ChatScreen id={route.chat} />
    case 'teach':
      return <TeachScreen />
    case 'blend':
      return <BlendScreen />
    case 'group':
      return <GroupScreen />
    case 'map':
      return <MapScreen />
    case 'search':
      return <SearchScreen />
    case 'science':
      return <ScienceScreen />
    case 'bench':
      return <BenchScreen />
    default:
      return route satisfies never
  }
}

/**
 * Puts the focus on a screen's heading when the visitor comes to it, so that a screen reader hears where it is. It stands
 * beside the screen, since its effect has to wait until the screen is there.
 */
function Arrival({ screen }: { readonly screen: Route['screen'] }) {
  const before = useRef(screen)
  useEffect(() => {
    if (before.current !== screen && screen !== 'chat') {
      scrollTo(0, 0)
      document.querySelector<HTMLElement>('[data-arrival]')?.focus()
    }
    before.current = screen
  }, [screen])
  return null
}

/** What a screen is called; that of somebody is called as they are. */
function titleOf(screen: Route['screen']): string | undefined {
  return screen === 'cast' || screen === 'chat' ? undefined : sharedText(`screen.${screen}`)
}

/** Names the tab after who is talked to, or taught. */
function useTitle(screen: Route['screen']): void {
  const open = useChats((state) => state.open)
  const member = useCast((state) => findMember(state.members, open?.key ?? null))
  const name = open?.group ? characterIn(open, undefined) : member?.displayName
  const subject = titleOf(screen) ?? name
  useEffect(() => {
    document.title = subject ? `${subject} · HyCoRA playground` : 'HyCoRA playground'
  }, [subject])
}

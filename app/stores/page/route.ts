// Scope: session. Where the visitor is, as the address says, so that the browser's back works.
import { create } from 'zustand'

export type Route =
  | { readonly screen: 'cast' }
  | {
      readonly screen: 'chat'
      readonly chat: string
      /** The message to begin at; left out, the last. */
      readonly message?: string
    }
  | { readonly screen: 'search' }
  | { readonly screen: 'teach' }
  | { readonly screen: 'blend' }
  | { readonly screen: 'map' }
  | { readonly screen: 'group' }
  | { readonly screen: 'science' }
  | { readonly screen: 'bench' }

/** The route of a hash; an unknown one is the cast. */
export function readRoute(hash: string): Route {
  const [, chat, message] = /^#\/chat\/([\w-]+)(?:\/([\w-]+))?$/.exec(hash) ?? []
  if (chat) return { screen: 'chat', chat, ...(message && { message }) }
  if (hash === '#/search') return { screen: 'search' }
  if (hash === '#/teach') return { screen: 'teach' }
  if (hash === '#/map') return { screen: 'map' }
  if (hash === '#/group') return { screen: 'group' }
  if (hash === '#/science') return { screen: 'science' }
  if (hash === '#/bench') return { screen: 'bench' }
  return { screen: hash === '#/blend' ? 'blend' : 'cast' }
}

/** The hash of a route. */
export function routeHash(route: Route): string {
  switch (route.screen) {
    case 'cast':
      return '#/'
    case 'chat':
      return `#/chat/${route.chat}${route.message ? `/${route.message}` : ''}`
    case 'search':
      return '#/search'
    case 'teach':
      return '#/teach'
    case 'map':
      return '#/map'
    case 'blend':
      return '#/blend'
    case 'group':
      return '#/group'
    case 'science':
      return '#/science'
    case 'bench':
      return '#/bench'
    default:
      return route satisfies never
  }
}

export const useRoute = create<Route>()(() => ({ screen: 'cast' }))

/** Goes to a route, as a new entry of the browser's history. */
export function goTo(route: Route): void {
  location.hash = routeHash(route)
}

/** What a link to somebody carries in its hash; null for any other hash. */
export function readMeeting(hash: string): string | null {
  return /^#\/meet\/([\w-]+)$/.exec(hash)?.[1] ?? null
}

/** Follows the address from now on. */
export function watchRoute(): void {
  window.addEventListener('hashchange', follow)
  follow()
}

function follow(): void {
  useRoute.setState(readRoute(location.hash), true)
}

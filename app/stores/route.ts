// Scope: session. Where the visitor is, as the address says, so that the browser's back works.
import { create } from 'zustand'

export type Route = { readonly screen: 'cast' } | { readonly screen: 'chat'; readonly chat: string }

/** The route of a hash; an unknown one is the cast. */
export function readRoute(hash: string): Route {
  const chat = /^#\/chat\/([\w-]+)$/.exec(hash)?.[1]
  return chat ? { screen: 'chat', chat } : { screen: 'cast' }
}

/** The hash of a route. */
export function routeHash(route: Route): string {
  return route.screen === 'chat' ? `#/chat/${route.chat}` : '#/'
}

export const useRoute = create<Route>()(() => ({ screen: 'cast' }))

/** Goes to a route, as a new entry of the browser's history. */
export function goTo(route: Route): void {
  location.hash = routeHash(route)
}

/** Follows the address from now on. */
export function watchRoute(): void {
  window.addEventListener('hashchange', follow)
  follow()
}

function follow(): void {
  useRoute.setState(readRoute(location.hash), true)
}

import { useEffect } from 'react'
import type { RefObject } from 'react'

import type { Message } from '../../src/storage/chat.ts'
import { useRoute } from '../stores/page/route.ts'

/** Messages that are drawn before one that is asked for. */
const BEFORE = 8

/**
 * The message that the address asks for, brought before the reader; null where it asks for none that is here.
 *
 * @param limit how many messages are drawn where none is asked for.
 * @returns `hidden`: how many of the first are not drawn.
 */
export function useWanted(
  content: RefObject<HTMLElement | null>,
  messages: readonly Message[],
  limit: number,
): { readonly wanted: string | null; readonly hidden: number } {
  const asked = useRoute((route) => (route.screen === 'chat' ? route.message : undefined))
  const place = asked === undefined ? -1 : messages.findIndex(({ id }) => id === asked)
  const wanted = place < 0 ? null : (asked ?? null)
  useEffect(() => {
    const element = wanted && content.current?.querySelector<HTMLElement>('[data-found]')
    if (!element) return
    element.focus({ preventScroll: true })
    element.scrollIntoView({ block: 'center' })
  }, [content, wanted])
  const first = place < 0 ? messages.length : place - BEFORE
  return { wanted, hidden: Math.max(0, Math.min(messages.length - limit, first)) }
}

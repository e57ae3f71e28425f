import { useCallback, useEffect, useRef, useState } from 'react'
import type { RefObject } from 'react'

/** How near to the end still counts as being there. */
const NEAR_PX = 48

/**
 * Keeps a scrolling box at its end while its content grows, unless the reader has scrolled up. It starts at the
 * end, or at the beginning where that is asked for.
 */
export function useFollow(
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
  { startsAtTop }: { readonly startsAtTop: boolean },
): { readonly isAway: boolean; readonly jump: () => void } {
  const isFollowing = useRef(!startsAtTop)
  const [isAway, setIsAway] = useState(false)

  const jump = useCallback((): void => {
    const box = scroller.current
    isFollowing.current = true
    setIsAway(false)
    box?.scrollTo({ top: box.scrollHeight })
  }, [scroller])

  useEffect(() => {
    const box = scroller.current
    const inside = content.current
    if (!box || !inside) return undefined
    let lastTop = box.scrollTop
    const note = (): void => {
      const isNear = box.scrollHeight - box.scrollTop - box.clientHeight <= NEAR_PX
      // Only a move upwards is the reader's: growth below moves nothing, and must not end the following.
      if (isNear) isFollowing.current = true
      else if (box.scrollTop < lastTop) isFollowing.current = false
      lastTop = box.scrollTop
      setIsAway(!isNear && !isFollowing.current)
    }
    const follow = new ResizeObserver(() => {
      if (isFollowing.current) box.scrollTo({ top: box.scrollHeight })
      else note()
      // What the layout moved was not the reader.
      lastTop = box.scrollTop
    })
    follow.observe(inside)
    follow.observe(box)
    box.addEventListener('scroll', note, { passive: true })
    return () => {
      follow.disconnect()
      box.removeEventListener('scroll', note)
    }
  }, [scroller, content])

  return { isAway, jump }
}

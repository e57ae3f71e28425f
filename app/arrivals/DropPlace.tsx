import { useEffect, useState } from 'react'

import { receiveFiles, receiveLink } from '../stores/exchange/arrivals.ts'
import { readMeeting } from '../stores/page/route.ts'
import styles from './DropPlace.module.css'
import { chosenFiles, droppedFiles } from '../shared/droppedFiles.ts'
import { arrivalsText } from '../words/arrivals.ts'

/** Takes what is dropped or pasted anywhere on the page; where a part of the page takes it itself, that part does. */
export function DropPlace() {
  const [isOver, setIsOver] = useState(false)
  useEffect(() => {
    const stop = new AbortController()
    const listen = <K extends keyof WindowEventMap>(kind: K, act: (event: WindowEventMap[K]) => void): void =>
      window.addEventListener(kind, act, { signal: stop.signal })
    listen('dragover', (event) => {
      const isTaken = event.defaultPrevented
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      setIsOver(!isTaken)
    })
    listen('dragleave', (event) => {
      // Leaving for another part of the page is not leaving it.
      if (event.relatedTarget === null) setIsOver(false)
    })
    listen('drop', (event) => {
      const isTaken = event.defaultPrevented
      setIsOver(false)
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      if (!isTaken) void droppedFiles(event.dataTransfer).then(receiveFiles)
    })
    listen('paste', (event) => {
      if (event.defaultPrevented || isWritten(event.target)) return
      const files = chosenFiles(event.clipboardData?.files ?? [])
      const link = linkIn(event.clipboardData?.getData('text/plain') ?? '')
      if (files.length > 0) void receiveFiles(files)
      else if (link !== null) void receiveLink(link)
    })
    return () => stop.abort()
  }, [])
  if (!isOver) return null
  return (
    <div className={styles.place} aria-hidden="true">
      <p className={styles.words}>{arrivalsText('drop')}</p>
    </div>
  )
}

function isWritten(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, [contenteditable]') !== null
}

/** What a pasted address carries. */
function linkIn(text: string): string | null {
  const address = text.trim()
  return readMeeting(address.slice(Math.max(0, address.indexOf('#'))))
}

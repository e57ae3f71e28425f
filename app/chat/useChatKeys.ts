import { useEffect } from 'react'

import type { Chat } from '../../src/storage/chat.ts'
import { visibleMessages } from '../../src/storage/chat.ts'
import { selectTake, useChats } from '../stores/chat/chats.ts'
import {
  again,
  canRepeat,
  carryOn,
  isAnswering,
  stopAnswer,
  useGeneration,
} from '../stores/chat/generation.ts'
import { edit, showBackstage, showDialog, useSession } from '../stores/page/session.ts'

/** The keys of a chat, as people know them from SillyTavern. */
export function useChatKeys(): void {
  useEffect(() => {
    window.addEventListener('keydown', press)
    return () => window.removeEventListener('keydown', press)
  }, [])
}

function press(event: KeyboardEvent): void {
  const chat = useChats.getState().open
  const { dialog, editing } = useSession.getState()
  if (!chat || event.isComposing || dialog !== 'none' || editing) return
  if (act(chat, event)) event.preventDefault()
}

/** Whether the key did something. */
function act(chat: Chat, event: KeyboardEvent): boolean {
  const isBusy = isAnswering(useGeneration.getState())
  switch (event.key) {
    case 'Escape':
      return isBusy || useGeneration.getState().goingOn ? (stopAnswer(), true) : closeBackstage()
    case 'Enter':
      if (isBusy || (!event.ctrlKey && !event.altKey)) return false
      void (event.ctrlKey ? again() : carryOn())
      return true
    case '?':
      if (isWriting(event.target)) return false
      showDialog('keys')
      return true
    case 'ArrowUp':
      return isEmptyBox(event.target) && !isBusy && editLast(chat)
    case 'ArrowLeft':
    case 'ArrowRight':
      return canSwipe(event) && !isBusy && swipe(chat, event.key === 'ArrowLeft' ? -1 : 1)
    default:
      return false
  }
}

function closeBackstage(): boolean {
  const { isBackstageOpen } = useSession.getState()
  showBackstage(false)
  return isBackstageOpen
}

function editLast(chat: Chat): boolean {
  const last = visibleMessages(chat).at(-1)
  if (last) edit(last.id)
  return last !== undefined
}

/** Shows another version of the last answer; behind the last one waits a new one. */
function swipe(chat: Chat, step: 1 | -1): boolean {
  const last = visibleMessages(chat).at(-1)
  if (last?.speaker !== 'role') return false
  const next = last.selected + step
  if (next >= 0 && next < last.takes.length) void selectTake(chat, last.id, next)
  else if (step > 0 && canRepeat(chat)) void again()
  return true
}

function canSwipe(event: KeyboardEvent): boolean {
  const hasModifier = event.ctrlKey || event.altKey || event.metaKey || event.shiftKey
  return !hasModifier && (isEmptyBox(event.target) || !usesArrows(event.target))
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.type !== 'radio')
  )
}

function usesArrows(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, textarea, select, [role="radiogroup"]') !== null
  )
}

function isEmptyBox(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement && 'composer' in target.dataset && target.value === ''
}

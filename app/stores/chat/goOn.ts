// Several who go on by themselves, until they are stopped. No state: `useGeneration` has it.
import { PAUSE } from '../../../src/core/pause.ts'
import { loadDraft } from '../../../src/storage/drafts.ts'
import { useChats } from './chats.ts'
import { endGoingOn, giveWord, isAnswering, stopAnswer, useGeneration } from './generation.ts'
import type { GoingOn } from './generation.ts'
import { whoSpeaks } from './turns.ts'

/**
 * Lets those of the open chat speak one after the other, with a silence between them, until they are stopped, one fails or
 * nobody says anything. Whoever leaves the chat stops them.
 */
export async function goOn(): Promise<void> {
  const { open } = useChats.getState()
  if (!open?.group || useGeneration.getState().goingOn) return
  const run: GoingOn = { chat: open.id }
  useGeneration.setState({ goingOn: run })
  const unwatch = useChats.subscribe((state) => {
    if (state.open?.id !== run.chat || !state.open.group) stopAnswer()
  })
  try {
    while (isOn(run) && (await speakOn(run))) await silence(run)
  } finally {
    unwatch()
    if (isOn(run)) endGoingOn()
  }
}

function isOn(run: GoingOn): boolean {
  return useGeneration.getState().goingOn === run
}

/** Whether those whose turn it is came to their end, and something was said. */
async function speakOn({ chat }: GoingOn): Promise<boolean> {
  const { open } = useChats.getState()
  if (open?.id !== chat || useGeneration.getState().failure) return false
  const hasSpoken = await giveWord(chat, whoSpeaks(open, true))
  return hasSpoken && useChats.getState().open?.messages.length !== open.messages.length
}

/** Waits as long as the group is silent between two, while nobody writes or speaks and somebody is there to hear it. */
function silence(run: GoingOn): Promise<void> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const wait = (): void => {
      clearTimeout(timer)
      const pause = useChats.getState().open?.group?.pause ?? PAUSE.usual
      timer = setTimeout(look, 1000 * pause)
    }
    const end = (): void => {
      clearTimeout(timer)
      unwatch()
      resolve()
    }
    const look = (): void => {
      const isBusy = isAnswering(useGeneration.getState()) || loadDraft(run.chat).trim() !== ''
      if (isBusy || document.visibilityState === 'hidden') wait()
      else end()
    }
    const unwatch = useGeneration.subscribe((state, before) => {
      if (state.goingOn !== run) end()
      else if (isAnswering(before) && !isAnswering(state)) wait()
    })
    wait()
  })
}

// One trainer at a time among the tabs of this browser. No state of the page.

/** Held for as long as a run goes. */
const LOCK = 'train'

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('hycora-training') : undefined
let report: (isElsewhere: boolean) => void = () => undefined
let isHeldHere = false

/** Calls back when another tab begins to train, and when it has stopped. */
export async function watchTrainingTabs(onChange: (isElsewhere: boolean) => void): Promise<void> {
  report = onChange
  channel?.addEventListener('message', () => void waitForOthers())
  const { held } = (await navigator.locks?.query()) ?? {}
  if (held?.some(({ name }) => name === LOCK)) await waitForOthers()
}

/** Does the work while no other tab trains; where one does, says so instead. */
export async function holdTraining(work: () => Promise<void>): Promise<void> {
  if (!navigator.locks) {
    await work()
    return
  }
  const isFree = await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) return false
    isHeldHere = true
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no target, a window has
    channel?.postMessage('begun')
    try {
      await work()
    } finally {
      isHeldHere = false
    }
    return true
  })
  if (!isFree) void waitForOthers()
}

/** Resolves when the other tab has stopped: a shared lock is granted behind the trainer's own. */
async function waitForOthers(): Promise<void> {
  if (isHeldHere) return
  report(true)
  await navigator.locks.request(LOCK, { mode: 'shared' }, () => undefined)
  report(false)
}

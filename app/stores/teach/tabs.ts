// One trainer at a time among the tabs of this browser. No state of the page.

/** Held for as long as a run goes. */
const LOCK = 'train'

/** `begun`: a run goes in the tab that says it; `kept`: it has kept a checkpoint that the others may show. */
type Message = 'begun' | 'kept'

interface Watcher {
  /** Another tab trains, or has stopped. */
  readonly onChange: (isElsewhere: boolean) => void
  readonly onKept: () => void
}

const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('hycora-training') : undefined
let watcher: Watcher = { onChange: () => undefined, onKept: () => undefined }
let isHeldHere = false
let isWaiting = false

/** Calls back when another tab begins to train, keeps a checkpoint, and has stopped. */
export async function watchTrainingTabs(callbacks: Watcher): Promise<void> {
  watcher = callbacks
  channel?.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (data === 'kept') watcher.onKept()
    void waitForOthers()
  })
  const { held } = (await navigator.locks?.query()) ?? {}
  if (held?.some(({ name }) => name === LOCK)) void waitForOthers()
}

/** Tells the other tabs what this one has done. */
export function tellTrainingTabs(message: Message): void {
  channel?.postMessage(message)
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
    tellTrainingTabs('begun')
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
  if (isHeldHere || isWaiting) return
  isWaiting = true
  watcher.onChange(true)
  await navigator.locks.request(LOCK, { mode: 'shared' }, () => undefined)
  isWaiting = false
  watcher.onChange(false)
}

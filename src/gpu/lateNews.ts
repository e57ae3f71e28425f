/**
 * Some browsers tell of work that is done on a timer only (Firefox: every 100 ms, its bug 1870699), or when something else
 * is submitted: an empty submit makes them look. This is how such a device is known, and waited for.
 */

/** A device that answers sooner, with nothing to do, is heard in time. */
const LATE_MS = 20
/** A browser that is busy with something else may be late once. */
const TRIES = 3
/** Pages may not look more often. */
const LOOK_MS = 4

/** Tokens that are computed ahead where news of each come late: as many as may be on their way. */
export const STEPS_AHEAD = 4

const late = new WeakSet<GPUDevice>()

/** Finds out whether news of a device come late; from then on `hear` looks for them. */
export async function findLateNews(device: GPUDevice): Promise<boolean> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const startMs = performance.now()
    await device.queue.onSubmittedWorkDone()
    if (performance.now() - startMs <= LATE_MS) return false
  }
  late.add(device)
  return true
}

/** Waits for what the device has to tell, and looks for it where it would come late. */
export async function hear<T>(device: GPUDevice, news: Promise<T>): Promise<T> {
  if (!late.has(device)) return news
  const timer = setInterval(() => device.queue.submit([]), LOOK_MS)
  try {
    return await news
  } finally {
    clearInterval(timer)
  }
}

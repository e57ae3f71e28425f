/** How long Dawn rests between two looks at what it waits for. */
const REST_MS = 1

/** Functions of addons have no name and show no source; of Node's own, the ends of a promise do not either. */
function isOfAddon(callback: (...words: unknown[]) => void): boolean {
  return callback.name === '' && callback.toString().endsWith('{ [native code] }')
}

/** Whether Dawn rests already: once is enough for a process. */
let isPaced = false

/**
 * Lets Dawn rest while it waits. It looks whether its work is done in every turn of Node's loop, by `setImmediate`, which keeps a
 * core busy; where a processor is also what computes the work, that core is taken from it. On a graphics card, whose answers
 * come within a fraction of the rest, Dawn is better left alone.
 */
export function paceDawn(): void {
  if (isPaced) return
  isPaced = true
  const { setImmediate } = globalThis
  const paced = (callback: (...words: unknown[]) => void, ...words: unknown[]): unknown =>
    isOfAddon(callback) ? setTimeout(callback, REST_MS, ...words) : setImmediate(callback, ...words)
  Object.assign(globalThis, { setImmediate: Object.assign(paced, setImmediate) })
}

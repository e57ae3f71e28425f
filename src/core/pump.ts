function nothing(): void {}

/**
 * Turns a task that reports through a callback into an async generator: yields what the task emits, as it comes, and
 * returns or throws what the task does.
 */
export async function* pump<Y, R>(start: (emit: (value: Y) => void) => Promise<R>): AsyncGenerator<Y, R> {
  const values: Y[] = []
  let wake = nothing
  let isDone = false
  const result = start((value) => {
    values.push(value)
    wake()
  }).finally(() => {
    isDone = true
    wake()
  })
  // Whoever awaits `result` below sees the rejection; this only keeps it from being reported as unhandled before.
  result.catch(() => undefined)
  for (;;) {
    const value = values.shift()
    if (value !== undefined) yield value
    else if (isDone) return result
    else await new Promise<void>((resolve) => (wake = resolve))
  }
}

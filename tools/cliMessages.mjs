// @ts-check
// Loaded before the command line: makes descriptor 3 its stderr, because native code writes to descriptor 2 as well.
// Its worker threads load this too, and keep their own stderr: Node calls on it when the main thread has read from it.
import { writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import { isatty } from 'node:tty'
import { isMainThread } from 'node:worker_threads'

const MESSAGES = 3

/** @param {Uint8Array} bytes */
function writeAll(bytes) {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(MESSAGES, bytes, done)
    } catch (error) {
      // A full pipe that does not block: wait for its reader.
      if (codeOf(error) !== 'EAGAIN') return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function takeOver() {
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      writeAll(chunk)
      done()
    },
  })
  Object.assign(stderr, { fd: MESSAGES, isTTY: isatty(MESSAGES) })
  Object.defineProperty(process, 'stderr', { configurable: true, enumerable: true, get: () => stderr })

  process.on('uncaughtException', (error) => {
    // Whoever reads stdout may stop early, as `head` does: nothing to say then.
    if (codeOf(error) !== 'EPIPE') {
      const message = error instanceof Error ? error.message : String(error)
      writeAll(Buffer.from(`usage: ${message.replaceAll(/\s+/g, ' ')}\n`))
    }
    process.exit(1)
  })
}

if (isMainThread) takeOver()

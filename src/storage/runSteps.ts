import { storageError } from './database.ts'

/*
 * What a run had come to at some of its steps: a pack each, in files beside the checkpoints (`RUN.step-20`). They are for
 * looking back alone: the longer a run and the larger its packs, the fewer of its steps are kept.
 */

/** Bytes that all of them may take. */
const MOST_BYTES = 400_000_000
const MOST_STEPS = 16

/** The kept steps of runs. */
export interface RunSteps {
  /**
   * Keeps the pack of a step; where there are too many by then, others make room.
   *
   * @throws HycoraError `storage-full`, `storage-corrupt`.
   */
  keep(run: string, step: number, pack: Blob): Promise<void>
  /** The steps of a run that are kept, in order. */
  list(run: string): Promise<readonly number[]>
  /** The pack of a step, as a copy; undefined where it is not kept. */
  read(run: string, step: number): Promise<Blob | undefined>
  /** Forgets what lies behind a step. */
  cut(run: string, step: number): Promise<void>
  remove(run: string): Promise<void>
  /** What those of all runs take up. */
  bytes(): Promise<number>
}

/** Which steps to keep where there is room for so many: the first and the last, and the others as far apart as they lie. */
export function spreadSteps(steps: readonly number[], most: number): readonly number[] {
  let kept = steps
  while (kept.length > Math.max(2, most)) {
    const around = (index: number): number => (kept[index + 1] ?? Infinity) - (kept[index - 1] ?? -Infinity)
    const closest = kept.reduce((best, _, index) => (around(index) < around(best) ? index : best), 0)
    kept = kept.toSpliced(closest, 1)
  }
  return kept
}

/** Opens the kept steps; `folder` is the directory of the checkpoints. */
export function openRunSteps(folder: string): RunSteps {
  const open = async (): Promise<FileSystemDirectoryHandle> => {
    const root = await navigator.storage.getDirectory()
    return root.getDirectoryHandle(folder, { create: true })
  }
  const drop = async (run: string, isDropped: (step: number) => boolean): Promise<void> => {
    const directory = await open()
    for (const step of (await stepsIn(directory, run)).filter(isDropped)) {
      await directory.removeEntry(fileName(run, step))
    }
  }
  return {
    async keep(run, step, pack) {
      try {
        const directory = await open()
        await write(directory, fileName(run, step), pack)
        const steps = await stepsIn(directory, run)
        const kept = spreadSteps(steps, Math.min(MOST_STEPS, Math.floor(MOST_BYTES / pack.size)))
        await drop(run, (one) => !kept.includes(one))
      } catch (thrown) {
        throw storageError(thrown)
      }
    },
    async list(run) {
      return stepsIn(await open(), run)
    },
    async read(run, step) {
      const directory = await open()
      const handle = await directory.getFileHandle(fileName(run, step)).catch(() => null)
      const file = await handle?.getFile()
      return file && new Blob([await file.arrayBuffer()])
    },
    cut: (run, step) => drop(run, (one) => one > step),
    remove: (run) => drop(run, () => true),
    async bytes() {
      let sum = 0
      for await (const handle of (await open()).values()) {
        if (handle.kind === 'file' && STEP.test(handle.name)) sum += (await fileOf(handle)).size
      }
      return sum
    },
  }
}

const STEP = /^(.+)\.step-(\d+)$/

function fileName(run: string, step: number): string {
  return `${run}.step-${step}`
}

async function stepsIn(directory: FileSystemDirectoryHandle, run: string): Promise<number[]> {
  const steps: number[] = []
  for await (const name of directory.keys()) {
    const [, owner, step] = STEP.exec(name) ?? []
    if (owner === run) steps.push(Number(step))
  }
  return steps.toSorted((a, b) => a - b)
}

function fileOf(handle: FileSystemHandle): Promise<File> {
  return (handle as FileSystemFileHandle).getFile()
}

/** Writes a file whole or not at all: a stream's content takes the file's place when it is closed. */
async function write(directory: FileSystemDirectoryHandle, name: string, content: Blob): Promise<void> {
  const handle = await directory.getFileHandle(name, { create: true })
  const writable = await handle.createWritable()
  try {
    await writable.write(content)
    await writable.close()
  } catch (thrown) {
    await writable.abort().catch(() => undefined)
    // A new file stands empty until its first content is whole.
    if ((await handle.getFile()).size === 0) await directory.removeEntry(name)
    throw thrown
  }
}

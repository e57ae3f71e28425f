import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'

import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest'

import { fetchModel } from '../../src/cli/fetch.ts'
import type { FetchPace } from '../../src/cli/fetch.ts'
import { Random } from '../../src/core/random.ts'
import type { Fault } from './faultServer.ts'
import { answerJson, COMMIT, entryOf, faultsOf, openHubServer } from './hubServer.ts'
import type { HubFault, HubRepository, HubServer } from './hubServer.ts'

const random = new Random(36)
const contentOf = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.nextBelow(256)))

export const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** The model that is fetched, and its largest file. */
export const DATA = 'onnx/model_q4.onnx_data'
export const model: HubRepository = {
  name: 'people/tiny-model',
  files: new Map([
    ['README.md', contentOf(50)],
    ['config.json', contentOf(300)],
    ['generation_config.json', Buffer.alloc(0)],
    ['tokenizer.json', contentOf(5000)],
    ['onnx/model_q4.onnx', contentOf(2000)],
    [DATA, contentOf(300_000)],
  ]),
}
const wanted = [...model.files].filter(([path]) => path !== 'README.md')

/** Where the hub says what a model is, lists its files, and sends on to them. */
export const INFO = `/api/models/${model.name}/revision/`
export const TREE = `/api/models/${model.name}/tree/`
export const FILES = `/${model.name}/resolve/${COMMIT}/`
export const info = { _id: '1', id: model.name, sha: COMMIT, gated: false, private: false }
export const entries = [...model.files].map(([path, content]) => entryOf(path, content))

/** Long beside an answer of this machine. */
const STALL_MS = 5000

/** A hub, another one, and a folder into which `hycora fetch` brings the model. */
export class HubGround {
  hub: HubServer
  elsewhere: HubServer
  /** An address at which nobody is. */
  readonly nowhere: string
  folder = ''

  constructor(hub: HubServer, elsewhere: HubServer, nowhere: string) {
    this.hub = hub
    this.elsewhere = elsewhere
    this.nowhere = nowhere
  }

  fetch(pace: FetchPace = {}): Promise<void> {
    const words = [model.name, '--variant', 'q4', '--into', this.folder]
    return fetchModel(words, { pauseMs: 1, stallMs: STALL_MS, ...pace })
  }

  /** How the next requests for what the model is, for its files' list, or for a file are answered. */
  onInfo(...faults: readonly HubFault[]): void {
    this.hub.faults.set(INFO, [...faults])
  }
  onList(...faults: readonly HubFault[]): void {
    this.hub.faults.set(TREE, [...faults])
  }
  onHubFile(path: string, ...faults: readonly HubFault[]): void {
    this.hub.faults.set(FILES + path, [...faults])
  }
  onFile(path: string, ...faults: readonly Fault[]): void {
    faultsOf(this.hub, model, path, faults)
  }

  /** The next list is a changed one. */
  lists(change: (all: readonly Record<string, unknown>[]) => unknown): void {
    this.onList(answerJson(change(entries)))
  }

  /** Answers like this for good: the next request to the same place finds the fault still there. */
  always(start: string, fault: HubFault): void {
    this.hub.faults.set(start, [
      (response) => {
        this.always(start, fault)
        fault(response)
      },
    ])
  }

  /** A file in the folder. */
  place(...path: readonly string[]): string {
    return join(this.folder, ...path)
  }

  /** The files that lie in their places and are not right. */
  async wrong(): Promise<readonly string[]> {
    const found = await Promise.all(
      wanted.map(async ([path, content]) => {
        const own = await readFile(this.place(path)).catch(() => content)
        return own.equals(content) ? [] : [path]
      }),
    )
    return found.flat()
  }

  /** What keeps the folder from being the model, whole, and nothing else. */
  async flaws(): Promise<readonly string[]> {
    const names = await readdir(this.folder, { recursive: true, withFileTypes: true })
    const paths = names
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(this.folder, join(parentPath, name)))
    const missing = wanted.filter(([path]) => !paths.includes(path)).map(([path]) => `${path} is missing`)
    const strange = paths.filter((path) => wanted.every(([own]) => own !== path))
    return [...missing, ...strange, ...(await this.wrong())]
  }

  /** No fault any more. */
  clear(): void {
    for (const { faults, storage, asked, tokens } of [this.hub, this.elsewhere]) {
      faults.clear()
      storage.faults.clear()
      for (const list of [storage.requests, asked, tokens]) list.length = 0
    }
    vi.stubEnv('HF_ENDPOINT', this.hub.url)
  }
}

/** The ground of a file of tests; it is there, and clean, when a test begins. */
export function openHubGround(): () => HubGround {
  let ground: HubGround
  beforeAll(async () => {
    const gone = await openHubServer([])
    await gone.close()
    ground = new HubGround(await openHubServer([model]), await openHubServer([model]), gone.url)
  })
  afterAll(() => Promise.all([ground.hub.close(), ground.elsewhere.close()]))
  beforeEach(async () => {
    ground.folder = await mkdtemp(join(tmpdir(), 'hycora-faults-'))
    ground.clear()
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    await rm(ground.folder, { recursive: true })
  })
  return () => ground
}

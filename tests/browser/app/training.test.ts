import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { useCast } from '../../../app/stores/company/cast.ts'
import { startEngine, useEngine } from '../../../app/stores/engine/engine.ts'
import {
  keepPack,
  listGuests,
  packRefOf,
  removeGuest,
  removePack,
  useGuests,
} from '../../../app/stores/company/guests.ts'
import { clearLines, readLines, useLines, writeLines } from '../../../app/stores/teach/lines.ts'
import { useNotices } from '../../../app/stores/page/notices.ts'
import { beginRehearsal, changePlan, setOption, settlePlan } from '../../../app/stores/teach/rehearsalPlan.ts'
import type { SettledPlan, Way } from '../../../app/stores/teach/rehearsalPlan.ts'
import { changeSettings, useSettings } from '../../../app/stores/page/settings.ts'
import {
  chosenResult,
  discardTraining,
  finishTraining,
  isTraining,
  openTraining,
  pauseTraining,
  restoreRun,
  resumeTraining,
  setDuty,
  useTraining,
} from '../../../app/stores/teach/training.ts'
import { stepsOption } from '../../../app/stores/teach/options.ts'
import { chooseKeeping, keeping } from '../../../app/stores/company/keeping.ts'
import { HycoraError } from '../../../src/core/errors.ts'
import { writePack } from '../../../src/formats/pack.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine, Script } from '../../support/fakeEngine.ts'
import { tinyPack } from '../../support/tinyPack.ts'

const lines = Array.from(
  { length: 10 },
  (_, index) => `Visitor: Question ${index}?\nBrine: Answer number ${index}, and mind the rope.\n---\n`,
).join('')

const training = () => useTraining.getState()
const steps = (): number[] => training().history.points.map(({ step }) => step)

const packFile = async (): Promise<Blob> => new Blob([await writePack(tinyPack())])
/** What a way comes to with the lines and the company that are there. */
const settle = (way: Way | null): SettledPlan =>
  settlePlan({ way, role: null }, useLines.getState().report, useEngine.getState().info)

let name = ''

/** The page with its lines read, an engine that follows the script behind it. */
const stage = async (script: Script = {}): Promise<FakeEngine> => {
  const engine = createFakeEngine({ roles: ['Holmes'], ...script })
  await startEngine(() => engine)
  writeLines(lines)
  await readLines()
  changePlan({ way: null, role: null, everySteps: 5 })
  setOption(stepsOption, 20)
  return engine
}
const frame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()))
/** Does something while the run is at a step, which is still done. */
const during = (step: number, act: () => void): Pick<Script, 'pause'> => {
  let begun = 0
  return {
    pause: () => {
      if (isTraining(training()) && ++begun === step) act()
      return frame()
    },
  }
}

beforeEach(async ({ task }) => {
  name = `test-${task.id}`
  chooseKeeping(name, name)
  await listGuests()
  changePlan({ joins: null })
  changeSettings({ backbone: 'starter', duty: 1 })
  useNotices.setState({ notice: null })
  useTraining.setState(useTraining.getInitialState(), true)
})
afterEach(async () => {
  vi.restoreAllMocks()
  clearLines()
  const root = await navigator.storage.getDirectory()
  await root.removeEntry(name, { recursive: true }).catch(() => undefined)
  indexedDB.deleteDatabase(name)
})

describe('the lines', () => {
  test('are read with counts, a split and lengths', async () => {
    await stage()
    const { report, failure } = useLines.getState()
    expect(failure).toBeNull()
    expect(report).toMatchObject({ format: 'script', roles: [{ name: 'Brine', train: 8, test: 2 }] })
    expect(report?.lengths).toHaveLength(10)
  })

  test('that are none are told so', async () => {
    await stage()
    writeLines('just a thought')
    await readLines()
    expect(useLines.getState()).toMatchObject({ report: null, failure: { code: 'format-invalid' } })
  })

  test('wait for the engine', async () => {
    clearLines()
    writeLines(lines)
    await stage()
    expect(useLines.getState().report?.dialogues).toHaveLength(10)
  })
})

describe('the plan', () => {
  test('lets a newcomer join the company that plays', async () => {
    await stage()
    expect(settle(null)).toEqual({ way: 'full', role: 'Brine', obstacle: null, canJoin: true })
    expect(settle('all')).toMatchObject({ way: 'all', obstacle: null })
  })

  test('refuses a newcomer of a name that is taken', async () => {
    await stage({ roles: ['Brine'] })
    const { report } = useLines.getState()
    const { info } = useEngine.getState()
    expect(settlePlan({ way: null, role: null }, report, info).way).toBe('all')
    expect(settlePlan({ way: 'quick', role: null }, report, info).obstacle).toContain('Brine')
  })
})

describe('a rehearsal', () => {
  test('asks the engine for what was planned, and shows what it says', async () => {
    const engine = await stage()
    changePlan({ way: 'quick' })
    await beginRehearsal()
    expect(engine.trained).toHaveLength(1)
    expect(engine.trained[0]).toMatchObject({
      config: { steps: 20, mode: 'quick', role: 'Brine', checkpointEvery: 1 },
      checkpoint: null,
      trial: { role: 'Brine', everySteps: 5 },
      duty: 1,
    })
    expect(engine.trained[0]?.start?.file.size).toBeGreaterThan(0)
    expect(engine.trained[0]?.dialogues.filter(({ split }) => split === 'test')).toHaveLength(2)
    expect(training()).toMatchObject({ phase: 'finished', keptStep: 20, failure: null, room: null })
    expect(steps()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(training().history.answers.map(({ step }) => step)).toEqual([0, 5, 10, 15, 20])
    expect(training().history.plan?.totalSteps).toBe(20)
  })

  test('of a whole company begins with nothing', async () => {
    const engine = await stage()
    changePlan({ way: 'all' })
    await beginRehearsal()
    expect(engine.trained[0]).toMatchObject({ start: null, config: { mode: 'all' } })
  })

  test('pauses, is there again after a reload, and goes on', async () => {
    const engine = await stage(during(8, pauseTraining))
    await beginRehearsal()
    expect(training()).toMatchObject({ phase: 'paused', keptStep: 8 })
    expect(training().result?.step).toBe(8)

    useTraining.setState(useTraining.getInitialState(), true)
    await restoreRun()
    expect(training()).toMatchObject({ phase: 'paused', keptStep: 8, cutOffAt: null })
    expect(steps()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(await training().result?.pack.text()).toBe('a pack')

    await resumeTraining()
    expect(await engine.trained[1]?.checkpoint?.slice(0, 2).text()).toBe('8\n')
    expect(training()).toMatchObject({ phase: 'finished', keptStep: 20 })
    expect(steps()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test('whose page was closed goes on from its checkpoint, and says where it was', async () => {
    await stage(during(13, pauseTraining))
    await beginRehearsal()
    const storage = await keeping()
    const kept = await storage?.runs.read()
    // What a later visit finds when the browser was killed between two checkpoints.
    await storage?.runs.keep({ ...kept!.progress!, state: 'going', result: null })
    await storage?.checkpoints.save(kept!.run.id, 10, new Blob(['10\n', new Uint8Array(9)]))
    useTraining.setState(useTraining.getInitialState(), true)
    await restoreRun()
    expect(training()).toMatchObject({ phase: 'paused', cutOffAt: 13, keptStep: 10, result: null })
    await resumeTraining()
    expect(steps()).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test('ends with the best that it has, also where only a checkpoint is left', async () => {
    await stage(during(10, pauseTraining))
    await beginRehearsal()
    await finishTraining()
    expect(training().phase).toBe('finished')

    const storage = await keeping()
    const kept = await storage?.runs.read()
    await storage?.runs.keep({ ...kept!.progress!, state: 'going', result: null })
    useTraining.setState(useTraining.getInitialState(), true)
    await restoreRun()
    await finishTraining()
    expect(training()).toMatchObject({ phase: 'finished', result: { step: 10 } })
  })

  test('stops in the middle and keeps the best', async () => {
    await stage(during(6, () => void finishTraining()))
    await beginRehearsal()
    expect(training()).toMatchObject({ phase: 'finished', result: { step: 6 } })
    expect(chosenResult(training().result!)).toBeInstanceOf(Blob)
  })

  test('that fails keeps its last checkpoint and says why', async () => {
    await stage({ training: { failsAt: { step: 11, code: 'device-lost' } } })
    await beginRehearsal()
    expect(training()).toMatchObject({ phase: 'paused', keptStep: 10, failure: { code: 'device-lost' } })
  })

  test('changes its share of time while it runs', async () => {
    const engine = await stage(during(5, () => setDuty(0.4)))
    await beginRehearsal()
    expect(engine.tuned).toEqual([0.4])
    expect(useSettings.getState().duty).toBe(0.4)
  })

  test('gives its place to nothing when it is put away', async () => {
    await stage(during(3, pauseTraining))
    await beginRehearsal()
    await discardTraining()
    expect(training()).toMatchObject({ phase: 'none', run: null })
    await restoreRun()
    expect(training().phase).toBe('none')
  })

  test('leaves nothing behind when it is put away in its middle', async () => {
    const engine = await stage({ pause: frame })
    const run = beginRehearsal()
    await vi.waitUntil(() => training().phase === 'running')
    await discardTraining()
    await run
    expect(engine.trained).toHaveLength(1)
    expect(training()).toMatchObject({ phase: 'none', run: null })
    await restoreRun()
    expect(training().phase).toBe('none')
  })

  test('stays away when it was being read again as it was put away', async () => {
    await stage(during(3, pauseTraining))
    await beginRehearsal()
    const read = restoreRun()
    await discardTraining()
    await read
    expect(training()).toMatchObject({ phase: 'none', run: null })
  })
})

describe('where there is no room', () => {
  test('the run pauses, says how much it needs, and goes on from what the page holds', async () => {
    const engine = await stage({ pause: frame, training: { checkpointBytes: 5000 } })
    const storage = (await keeping())!
    const save = vi.spyOn(storage.checkpoints, 'save')
    save.mockImplementation((_, step) =>
      step > 4 ? Promise.reject(new HycoraError('storage-full', 'no room')) : Promise.resolve(),
    )
    await beginRehearsal()
    const { phase, room, result } = training()
    expect(phase).toBe('paused')
    expect(room?.neededBytes).toBeGreaterThan(5000)
    const held = result!.step
    save.mockRestore()
    await resumeTraining()
    expect(await engine.trained[1]?.checkpoint?.slice(0, 3).text()).toMatch(new RegExp(`^${held}\\n`))
    expect(training()).toMatchObject({ phase: 'finished', room: null, keptStep: 20 })
  })

  test('without any storage the run lasts as long as the page, and says so', async () => {
    chooseKeeping(name, name)
    const storage = (await keeping())!
    vi.spyOn(storage.checkpoints, 'save').mockRejectedValue(new Error('no'))
    await stage()
    await beginRehearsal()
    expect(training()).toMatchObject({ phase: 'finished', isUnkept: true, keptStep: null })
  })
})

describe('another tab', () => {
  test('that trains keeps this one from it', async () => {
    const engine = await stage()
    await openTraining()
    const held = Promise.withResolvers<void>()
    const elsewhere = navigator.locks.request('train', () => held.promise)
    await beginRehearsal()
    expect(engine.trained).toEqual([])
    expect(training()).toMatchObject({ phase: 'none', isElsewhere: true })
    held.resolve()
    await elsewhere
    await vi.waitUntil(() => !training().isElsewhere)
    await beginRehearsal()
    expect(engine.trained).toHaveLength(1)
  })
})

const keep = async (cast: readonly string[] = ['Role 1']) =>
  keepPack({
    name: 'Evening',
    backboneId: 'starter',
    cast,
    origin: { kind: 'taught' },
    file: await packFile(),
  })
const guests = () => useCast.getState().members.filter(({ guest }) => guest)

describe('who was taught', () => {
  test('stands in the cast as soon as they are kept, again after a restart, and no longer when they go', async () => {
    const engine = createFakeEngine({ roles: ['Holmes'] })
    await startEngine(() => engine)
    const kept = await keep()
    expect(guests().map(({ displayName, role }) => [displayName, role])).toEqual([['Role 1', 'Role 1']])
    await startEngine(() => engine)
    expect(useCast.getState().members.map(({ displayName }) => displayName)).toEqual(
      expect.arrayContaining(['Role 1', 'Holmes']),
    )
    await removePack(kept)
    expect(guests()).toEqual([])
    await useNotices.getState().notice?.undo?.()
    expect(guests()).toHaveLength(1)
  })

  test('leaves the cast alone, while the others of the pack stay', async () => {
    await keep(['Role 0', 'Role 1'])
    const first = useCast.getState().members.find(({ role }) => role === 'Role 0')
    await removeGuest(first!)
    expect(useGuests.getState().packs[0]?.cast).toEqual(['Role 1'])
    await useNotices.getState().notice?.undo?.()
    expect(useGuests.getState().packs[0]?.cast).toEqual(['Role 0', 'Role 1'])
  })

  test('is told to the engine with the file', async () => {
    const kept = await keep()
    const member = useCast.getState().members.find(({ guest }) => guest?.id === kept.id)
    const ref = await packRefOf(member)
    expect(ref).toMatchObject({ id: kept.id, name: 'Evening' })
    expect(ref?.file.size).toBe(kept.bytes)
  })

  test('can be joined by the next newcomer', async () => {
    const engine = await stage()
    const kept = await keep()
    const { fingerprint } = kept.backbone
    useEngine.setState(({ info }) => ({ info: info && { ...info, fingerprint } }))
    changePlan({ way: 'quick', joins: kept.id })
    await beginRehearsal()
    expect(engine.trained[0]?.start?.name).toBe('Evening')
  })
})

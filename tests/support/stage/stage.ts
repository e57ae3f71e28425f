import type { RoleMap } from '../../../src/core/training.ts'
import { startApp } from '../../../app/startApp.tsx'
import type { ErrorCode } from '../../../src/core/errors.ts'
import type { DeviceReport, DeviceState } from '../../../src/engine/protocol.ts'
import { mapRoles } from '../../../src/train/run/roleMap.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import { createFakeEngine } from '../fakeEngine.ts'
import type { FakeEngine } from '../fakeEngine.ts'

/*
 * The page with a scripted engine, under the development server: /tests/support/stage/stage.html?device=no-adapter
 * &fail=download-failed&break=device-lost&pause=30&context=200&trainfail=40&map=alike|shared&checkpoint=4000000&step=300.
 */

declare global {
  interface Window {
    stage: { engine?: FakeEngine; tellDevice(state: DeviceState): void }
  }
}

const query = new URLSearchParams(location.search)
const pauseMs = Number(query.get('pause') ?? 30)
const loadFails = query.get('fail') as ErrorCode | null
const generateFails = query.get('break') as ErrorCode | null

const answers = [
  'The mud on your cuff is from Clapham, and it rained there at four. *He turns the pipe over, unlit.* So you walked, though you can afford a cab. Why?',
  '*He laughs, once, without looking round.* "Elementary" is what Watson writes. I said it was obvious, and it was.\n\nSit down. Begin with the letter.',
  'No.',
  'You have come about the dog. **Nobody** comes to Baker Street in one glove for anything less than a dog or a marriage, and you are smiling.',
]

/** What the scripted rehearsals come to: the shipped pack with a newcomer in it. */
async function trainedPack(): Promise<Pack> {
  const response = await fetch('/packs/starter.hycora.safetensors')
  const pack = await readPack(memorySource('starter', new Uint8Array(await response.arrayBuffer())))
  const [first, ...others] = pack.roles
  const { metadata: _, ...content } = pack
  const roles = [{ ...first!, name: 'Captain Brine' }, ...others]
  return readPack(memorySource('starter', await writePack({ ...content, roles })))
}

/** The map of the pack's roles, with what the query says of it. */
function mapOf(pack: Pack): RoleMap {
  const map = mapRoles(pack)
  const [one = '', other = ''] = map.names
  if (query.get('map') === 'alike') return { ...map, alike: [one, other] }
  return query.get('map') === 'shared' ? { ...map, isShared: true } : map
}

window.stage = {
  tellDevice(state) {
    this.engine?.tellDevice(state)
  },
}

const root = document.getElementById('root')
const trainFailsAt = Number(query.get('trainfail') ?? 0)
if (root) {
  const pack = await trainedPack()
  const file = new Blob([await writePack(pack)])
  await startApp(root, () => {
    window.stage.engine = createFakeEngine({
      device: (query.get('device') ?? 'ready') as DeviceReport['status'],
      roles: [
        'Sherlock Holmes',
        'Abraham Lincoln',
        'Caesar',
        'D_Artagnan',
        'Queen Elizabeth I',
        'Alice',
        'The Stranger',
      ],
      answers,
      pause: () => new Promise((resolve) => setTimeout(resolve, pauseMs)),
      context: Number(query.get('context') ?? 1024),
      training: {
        pack: file,
        map: mapOf(pack),
        secondsPerStep: Number(query.get('step') ?? 0.31),
        checkpointBytes: Number(query.get('checkpoint') ?? 64),
        ...(trainFailsAt > 0 && { failsAt: { step: trainFailsAt, code: 'device-lost' } }),
      },
      ...(loadFails && { loadFails }),
      ...(generateFails && { generateFails }),
    })
    return window.stage.engine
  })
}

import { startApp } from '../../../app/startApp.tsx'
import type { ErrorCode } from '../../../src/core/errors.ts'
import type { DeviceReport, DeviceState } from '../../../src/engine/protocol.ts'
import { createFakeEngine } from '../fakeEngine.ts'
import type { FakeEngine } from '../fakeEngine.ts'

/*
 * The page with a scripted engine, under the development server: /tests/support/stage/stage.html?device=no-adapter
 * &fail=download-failed&break=device-lost&pause=30&context=200.
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

window.stage = {
  tellDevice(state) {
    this.engine?.tellDevice(state)
  },
}

const root = document.getElementById('root')
if (root) {
  await startApp(root, () => {
    window.stage.engine = createFakeEngine({
      device: (query.get('device') ?? 'ready') as DeviceReport['status'],
      roles: [
        'Sherlock Holmes',
        'Abraham Lincoln',
        'Caesar',
        'D_Artagnan',
        'Queen Elizabeth I',
        'Benjamin Button',
        'The Stranger',
      ],
      answers,
      pause: () => new Promise((resolve) => setTimeout(resolve, pauseMs)),
      context: Number(query.get('context') ?? 1024),
      ...(loadFails && { loadFails }),
      ...(generateFails && { generateFails }),
    })
    return window.stage.engine
  })
}

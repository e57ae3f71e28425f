import type { DeviceState } from '../../src/engine/protocol.ts'
import type { Obstacle } from '../stores/engine.ts'

/** What is said when the machine cannot give what the characters need. */
export interface DeviceAdvice {
  readonly title: string
  readonly what: string
  readonly works: string
  readonly next: string
}

const reading = 'You can still read, edit, bring in and save chats.'

/** One text for each thing that can be in the way. */
export const deviceText: Readonly<
  Record<Obstacle | 'software' | Exclude<DeviceState, 'ready'>, DeviceAdvice>
> = {
  insecure: {
    title: 'This address is not secure',
    what: 'Browsers give a page the graphics card only over https, or from this computer itself (localhost).',
    works: reading,
    next: 'Open the same page with https:// in front, or on the computer that serves it.',
  },
  'no-webgpu': {
    title: 'This browser has no WebGPU',
    what: 'The characters are played on your graphics card, which a page reaches through WebGPU.',
    works: reading,
    next: 'Open this page in Chrome or Edge 121 or later. On a phone: Chrome on Android 12 or later.',
  },
  'no-adapter': {
    title: 'The browser keeps the graphics card to itself',
    what: 'WebGPU is here, but no graphics card is offered: it is switched off, or its driver is on the browser’s list of unreliable ones.',
    works: reading,
    next: 'Switch on “Use graphics acceleration when available” in the browser’s system settings, update the driver, and start the browser again. chrome://gpu says more.',
  },
  'no-device': {
    title: 'The graphics card refused',
    what: 'The browser found a graphics card but could not open it for this page.',
    works: reading,
    next: 'Close other tabs and programs that use it heavily, then try again.',
  },
  software: {
    title: 'No graphics card: the processor does its work',
    what: 'This browser computes WebGPU on the processor, so answers come slowly.',
    works: 'Everything works, with patience.',
    next: 'Switch on graphics acceleration in the browser’s system settings if this computer has a graphics card.',
  },
  recovering: {
    title: 'The graphics card was lost for a moment',
    what: 'It happens when the driver restarts. The model is being put back.',
    works: 'Your chats are safe, and the answer goes on by itself.',
    next: '',
  },
  'needs-reload': {
    title: 'The graphics card was lost again',
    what: 'It went away twice in a short time, and the browser no longer gives it to this page.',
    works: `Your chats are safe. ${reading}`,
    next: 'Reload the page. If it keeps happening, close other programs that use the graphics card.',
  },
}

import type { Computing } from '../../src/play/path.ts'
import type { BackboneInfo, DeviceState } from '../../src/engine/protocol.ts'

/** What is said when the machine cannot give what the characters need. */
export interface DeviceAdvice {
  readonly title: string
  readonly what: string
  readonly works: string
  readonly next: string
}

const reading = 'You can still read, edit, bring in and save chats.'
const acceleration =
  'Switch on “Use graphics acceleration when available” in the browser’s system settings if this computer has a graphics card, update its driver, and start the browser again.'

/** What stands in the way of an answer, or is being put right. */
export const deviceText: Readonly<Record<'insecure' | Exclude<DeviceState, 'ready'>, DeviceAdvice>> = {
  insecure: {
    title: 'This address is not secure',
    what: 'Browsers let a page compute only over https, or from this computer itself (localhost).',
    works: reading,
    next: 'Open the same page with https:// in front, or on the computer that serves it.',
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

/** Why the processor answers, and how to have the graphics card instead. */
const processorText: Readonly<
  Record<
    Exclude<Computing['why'], 'graphics-card' | 'chosen'>,
    { readonly what: string; readonly next: string }
  >
> = {
  'no-webgpu': {
    what: 'This browser has no WebGPU, through which a page reaches the graphics card.',
    next: 'Chrome and Edge have it on Windows, macOS and, from version 121 on, Android 12; on Linux from 144 on, on newer Intel graphics. Firefox has it on Windows from version 141 on, Safari from 26 on.',
  },
  'no-adapter': {
    what: 'The browser offers no graphics card to this page.',
    next: `It is switched off, or its driver is on the list of unreliable ones. ${acceleration} chrome://gpu says more.`,
  },
  'no-device': {
    what: 'The browser found a graphics card but could not open it for this page.',
    next: 'Close other tabs and programs that use it heavily, then reload the page.',
  },
  faster: {
    what: 'There is no graphics card for this page. Both ways of doing without were tried, and this is the faster.',
    next: acceleration,
  },
  lost: {
    what: 'The graphics card went away, and the browser no longer gives it to this page.',
    next: 'Reload the page to have it back. If it keeps happening, close other programs that use it.',
  },
  failed: {
    what: 'The graphics card could not take the model.',
    next: 'Close other tabs and games that use the graphics card, then reload the page.',
  },
  wrong: {
    what: 'The graphics card, or its driver, computes wrongly: what it made of small known cases was not what it had to be.',
    next: 'Update the driver and the browser, then reload the page. Please send us the diagnostics, so that we learn of the card.',
  },
  'unknown-graph': {
    what: 'This model is built in a way that our programs for the graphics card do not know.',
    next: '',
  },
}

/** How a computer with two graphics cards gives the browser the other; null where there is one, or no way to choose. */
export function otherCard(userAgent: string): string | null {
  if (userAgent.includes('Windows')) {
    return 'Of two graphics cards Windows chooses: Settings, System, Display, Graphics has a line for the browser, where “High performance” is the faster one.'
  }
  if (userAgent.includes('Linux') && !userAgent.includes('Android')) {
    return 'Of two graphics cards the browser gets the one that it is started on: most desktops have “Launch using dedicated graphics card” in the menu of its icon.'
  }
  return null
}

/** What is said of an answer that comes slowly, and at what rate; null where a graphics card answers, or one was told. */
export function slowText(info: BackboneInfo, isSoftware: boolean): DeviceAdvice | null {
  const { path, why } = info.computing
  if (why === 'chosen' || why === 'graphics-card') return null
  const title = `The processor answers${rateWords(info.computing)}`
  if (path === 'wasm') {
    const works = 'Chats are as ever, only slower; nobody can learn new lines.'
    return { title, ...processorText[why], works }
  }
  const what = isSoftware
    ? 'There is no graphics card for this page: the browser lets the processor play one.'
    : processorText[why].what
  return { title, what, works: 'Everything works, with patience.', next: acceleration }
}

/** ", at about 48 tokens a second", where it was measured. */
function rateWords({ path, rates }: Computing): string {
  const rate = rates[path]
  return rate ? `, at about ${tokensPerSecond(rate.decode)} tokens a second` : ''
}

/** "48", "4.2". */
export function tokensPerSecond(rate: number): string {
  return rate.toFixed(rate < 10 ? 1 : 0)
}

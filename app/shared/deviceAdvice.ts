import type { BackboneInfo, DeviceState } from '../../src/engine/protocol.ts'
import { deviceText } from '../words/device.ts'
import { decimal } from './format.ts'

/** What is said when the machine cannot give what the characters need. */
export interface DeviceAdvice {
  readonly title: string
  readonly what: string
  readonly works: string
  readonly next: string
}

/** What stands in the way of an answer, or is being put right. */
export function deviceAdvice(state: 'insecure' | Exclude<DeviceState, 'ready'>): DeviceAdvice {
  return {
    title: deviceText(`${state}.title`),
    what: deviceText(`${state}.what`),
    works: deviceText(`${state}.works`),
    next: state === 'recovering' ? '' : deviceText(`${state}.next`),
  }
}

/** How a computer with two graphics cards gives the browser the other; null where there is one, or no way to choose. */
export function otherCard(userAgent: string): string | null {
  if (userAgent.includes('Windows')) return deviceText('otherCard.windows')
  if (userAgent.includes('Linux') && !userAgent.includes('Android')) return deviceText('otherCard.linux')
  return null
}

/** What is said of an answer that comes slowly, and at what rate; null where a graphics card answers, or one was told. */
export function slowAdvice({ computing }: BackboneInfo, isSoftware: boolean): DeviceAdvice | null {
  const { path, why, rates } = computing
  if (why === 'chosen' || why === 'graphics-card') return null
  const rate = rates[path]
  const title = rate ? deviceText('slow.rate', { rate: tokensPerSecond(rate.decode) }) : deviceText('slow')
  if (path === 'wasm') {
    const next = why === 'unknown-graph' ? '' : deviceText(`${why}.next`)
    return { title, what: deviceText(`${why}.what`), works: deviceText('slow.works'), next }
  }
  const what = isSoftware ? deviceText('slow.software') : deviceText(`${why}.what`)
  return { title, what, works: deviceText('slow.patience'), next: deviceText('faster.next') }
}

/** "48", "4.2". */
export function tokensPerSecond(rate: number): string {
  return decimal(rate, rate < 10 ? 1 : 0)
}

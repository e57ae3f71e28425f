import { HycoraError, check } from '../../core/errors.ts'
import { CARD } from '../../gpu/tuning.ts'
import type { Tuning } from '../../gpu/tuning.ts'

/** What may be chosen where it is no number. */
const WORDS: { readonly [K in keyof Tuning]?: readonly Tuning[K][] } = {
  manyRows: ['tile', 'direct'],
  promptAttention: ['rows', 'direct'],
  batchAttention: ['row', 'direct'],
  rankColumns: ['beside', 'within'],
}

/** The most that a number may be, where it is not a whole workgroup: by its memory, its size, and the tokens on their way. */
const MOST: { readonly [K in keyof Tuning]?: number } = { rowsLanes: 64, outputLanes: 64, stepsAhead: 4 }
const WORKGROUP = 256

function isName(name: string): name is keyof Tuning {
  return Object.hasOwn(CARD, name)
}

function valueOf(name: keyof Tuning, text: string): string | number {
  const words = WORDS[name]
  if (words) {
    check(
      words.some((word) => word === text),
      'usage',
      () => {
        return `--tune ${name} is "${text}", expected ${words.join(' or ')}`
      },
    )
    return text
  }
  const number = Number(text)
  const most = MOST[name] ?? WORKGROUP
  const isPower = Number.isInteger(number) && number > 0 && number <= most && (number & (number - 1)) === 0
  check(isPower, 'usage', () => `--tune ${name} is "${text}", expected a power of two up to ${most}`)
  return number
}

/**
 * A tuning with some of its entries replaced, as in `manyRows=tile,outputLanes=4`.
 *
 * @throws HycoraError `usage` for a name that there is not, or a value that it cannot have.
 */
export function tuneWith(tuning: Tuning, text: string | undefined): Tuning {
  if (text === undefined) return tuning
  const entries = text.split(',').map((entry) => {
    const [name = '', value = ''] = entry.split('=').map((part) => part.trim())
    if (isName(name)) return [name, valueOf(name, value)] as const
    throw new HycoraError('usage', `--tune has no "${name}"; there are ${Object.keys(CARD).join(', ')}`)
  })
  return { ...tuning, ...Object.fromEntries(entries) }
}

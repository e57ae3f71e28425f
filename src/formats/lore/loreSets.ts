import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import type { LoreEntry, LoreSet } from './lorebook.ts'

/** The set of entries that name none. */
const UNNAMED = ''

/** What this program asks of entries beside their keys, or says of them; no other writes it. */
function ownOf(holder: JsonRecord): JsonRecord {
  const extensions = ownField(holder, 'extensions')
  const own = isJsonRecord(extensions) ? ownField(extensions, 'hycora') : undefined
  return isJsonRecord(own) ? own : {}
}

/** What a book asks of its entries by set; where it names none, of all of them together. */
export function setsOf(book: JsonRecord): ReadonlyMap<string, LoreSet> {
  const own = ownOf(book)
  const named = ownField(own, 'sets')
  const sets = isJsonRecord(named) ? Object.entries(named) : []
  return new Map([
    [UNNAMED, setOf(own)],
    ...sets.flatMap(([name, set]) => (isJsonRecord(set) ? [[name, setOf(set)] as const] : [])),
  ])
}

function setOf(asked: JsonRecord): LoreSet {
  return {
    leastShare: Math.min(1, Math.max(0, numberOf(asked, 'least_share') ?? 0)),
    leastWeight: Math.max(0, numberOf(asked, 'least_weight') ?? 0),
    most: Math.max(0, numberOf(asked, 'most') ?? Infinity),
    heed: Math.min(1, Math.max(0, numberOf(asked, 'heed') ?? 0)),
  }
}

/** What the keys or the words of an entry weigh that call it, and the set that it belongs to. */
export function callWeights(entry: JsonRecord): Pick<LoreEntry, 'keyWeights' | 'stems' | 'set'> {
  const own = ownOf(entry)
  const weights = ownField(own, 'weights')
  const [set, stems] = [ownField(own, 'set'), ownField(own, 'stems')]
  return {
    keyWeights: new Map(
      Object.entries(isJsonRecord(weights) ? weights : {}).flatMap(([key, value]) =>
        Number.isFinite(value) ? [[key, Number(value)] as const] : [],
      ),
    ),
    stems: new Map(
      [...(typeof stems === 'string' ? stems : '').matchAll(/(\S+) (\d+)(?= |$)/g)].map(
        ([, stem = '', hundredths]) => [stem, Number(hundredths) / 100],
      ),
    ),
    set: typeof set === 'string' ? set : UNNAMED,
  }
}

function numberOf(holder: JsonRecord, name: string): number | undefined {
  const value = ownField(holder, name)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

import { distinct, remark } from '../../core/remarks.ts'
import type { Remark } from '../../core/remarks.ts'
import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { recordOf } from '../../core/record.ts'
import type { NoteSpeaker, Occasion } from '../../core/script.ts'
import { readDecorators } from './decorators.ts'
import type { Decorated } from './decorators.ts'
import { ENTRY_FIELDS } from './fields.ts'
import type { Decorator, EntryField, LoreField } from './fields.ts'
import { setsOf, callWeights } from './loreSets.ts'
import { listedEntries, packedEntries } from './packedEntries.ts'
import type { Lorebook, LoreCharacters, LoreEntry, LoreLogic, LorePlace, LoreSource } from './lorebook.ts'

const MOST_ENTRIES = 2048
const MOST_KEYS = 256
const LONGEST_KEY = 2048
/** More than any model here can read. */
const LONGEST_CONTENT = 2 ** 16
const LONGEST_TITLE = 200

const FIELDS = Object.keys(ENTRY_FIELDS) as readonly EntryField[]
/** In the order of their numbers. */
const LOGICS: readonly LoreLogic[] = ['any', 'notAll', 'notAny', 'all']
const SPEAKERS: readonly NoteSpeaker[] = ['system', 'user', 'role']
const PLACES = [
  'before',
  'after',
  'aboveNote',
  'belowNote',
  'depth',
  'beforeExamples',
  'afterExamples',
  'outlet',
] as const
const USUAL_DEPTH = 4
const USUAL_ORDER = 100
const USUAL_WEIGHT = 100

const OCCASIONS: Readonly<Record<string, Occasion>> = {
  normal: 'next',
  swipe: 'other',
  regenerate: 'other',
  continue: 'more',
}

const SOURCES: readonly (readonly [EntryField, LoreSource])[] = [
  ['readsPersona', 'persona'],
  ['readsDescription', 'description'],
  ['readsPersonality', 'personality'],
  ['readsDepthPrompt', 'depthPrompt'],
  ['readsScenario', 'scenario'],
  ['readsCreatorNotes', 'creatorNotes'],
]

/** The values of an entry's fields, whatever form has them. */
type Values = Readonly<Record<EntryField, unknown>>

/**
 * Reads a lorebook leniently: a card's `character_book`, the `data` of a V3 lorebook, or SillyTavern's World Info. What is
 * of the wrong type counts as left out; of more than 2,048 entries the rest is left out, and told.
 */
export function readLorebook(book: JsonRecord, fallbackName = ''): Lorebook {
  const entries = entriesOf(book)
  const unmet: Remark[] = []
  if (entries.length > MOST_ENTRIES) {
    unmet.push(remark('lore.tooMany', { entries: entries.length, most: MOST_ENTRIES }))
  }
  if (packedEntries(book) === null) unmet.push(remark('lore.packed'))
  const budget = number(ownField(book, 'token_budget'))
  const scanDepth = number(ownField(book, 'scan_depth'))
  return {
    name: text(ownField(book, 'name'), LONGEST_TITLE).trim() || fallbackName,
    scanDepth: scanDepth === undefined ? null : Math.max(0, Math.floor(scanDepth)),
    tokenBudget: budget !== undefined && budget > 0 ? budget : null,
    sets: setsOf(book),
    isRecursive: truth(ownField(book, 'recursive_scanning')) ?? true,
    entries: entries.slice(0, MOST_ENTRIES).map((entry) => readEntry(entry, unmet)),
    unmet: distinct(unmet),
  }
}

/** The entries of a book, which stand in a list or, by number, in an object, and behind them those that it has packed. */
export function entriesOf(book: JsonRecord): readonly JsonRecord[] {
  return [...listedEntries(book), ...(packedEntries(book) ?? [])]
}

/** Whether an entry is one of World Info. */
export function isWorldEntry(entry: JsonRecord): boolean {
  return Object.hasOwn(entry, 'key') && !Object.hasOwn(entry, 'keys')
}

/** Where a field of an entry stands: the object and its key there; null where it has no place in this form. */
export function placeOfField(entry: JsonRecord, field: EntryField): readonly [JsonRecord, string] | null {
  const { card, extension, world }: LoreField = ENTRY_FIELDS[field]
  if (isWorldEntry(entry)) return world === undefined ? null : [entry, world]
  const extensions = ownField(entry, 'extensions')
  if (extension !== undefined && isJsonRecord(extensions) && isSaid(ownField(extensions, extension))) {
    return [extensions, extension]
  }
  return card === undefined ? null : [entry, card]
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null
}

function readEntry(entry: JsonRecord, unmet: Remark[]): LoreEntry {
  const values = recordOf(FIELDS, (field) => {
    const [holder, key] = placeOfField(entry, field) ?? []
    return holder && key !== undefined ? ownField(holder, key) : undefined
  })
  const decorated = readDecorators(text(values.content, LONGEST_CONTENT))
  const keys = loreTerms(values.keys)
  const title =
    (text(values.comment, LONGEST_TITLE) || text(values.title, LONGEST_TITLE)).trim() || (keys[0] ?? '')
  unmet.push(...unmetOf(values, decorated, title))
  // SillyTavern says of every entry that it has patterns, and means those between slashes alone.
  const isOfSillyTavern = number(values.logic) !== undefined || number(values.position) !== undefined
  const arePatterns = truth(values.arePatterns) === true && !isOfSillyTavern
  return {
    title,
    content: decorated.content,
    isEnabled: (truth(values.isEnabled) ?? true) && truth(values.isDisabled) !== true,
    keys,
    ...callWeights(entry),
    arePatterns,
    ...matching(values, decorated, { arePatterns, isSelective: isWorldEntry(entry) }),
    ...conditions(values, decorated),
    // So the specification has it.
    isConstant: decorated.values.has('constant') || (truth(values.isConstant) === true && !arePatterns),
    ...recursion(values),
    ...grouping(values),
    ...standing(values, decorated),
    place: placeOf(values, decorated.values, isWorldEntry(entry)),
  }
}

/** What is said of an entry that nothing here follows. */
function unmetOf(values: Values, { unknown }: Decorated, title: string): readonly Remark[] {
  const shown = title.slice(0, 48) || '…'
  const named = FIELDS.flatMap((field) => {
    const { unmet }: LoreField = ENTRY_FIELDS[field]
    const value = values[field]
    const isSet = truth(value) === true || (typeof value === 'string' && value.trim() !== '')
    return unmet !== undefined && isSet ? [remark(unmet, { title: shown })] : []
  })
  return [...named, ...unknown.map((decorator) => remark('lore.decorator', { decorator, title: shown }))]
}

type Part<K extends keyof LoreEntry> = Pick<LoreEntry, K>

function matching(
  values: Values,
  { values: decorators }: Decorated,
  usual: { readonly arePatterns: boolean; readonly isSelective: boolean },
): Part<
  | 'secondaryKeys'
  | 'logic'
  | 'additionalKeys'
  | 'excludedKeys'
  | 'isCaseSensitive'
  | 'isWholeWords'
  | 'scanDepth'
  | 'sources'
> {
  const { arePatterns } = usual
  const isSelective = truth(values.isSelective) ?? usual.isSelective
  const scanDepth = number(first(decorators, 'scan_depth')) ?? number(values.scanDepth)
  const isPartial = decorators.has('match_partial_word')
  return {
    // Of patterns the secondary keys count for nothing.
    secondaryKeys: isSelective && !arePatterns ? loreTerms(values.secondaryKeys) : [],
    logic: LOGICS[number(values.logic) ?? 0] ?? 'any',
    additionalKeys: (decorators.get('additional_keys') ?? [])
      .map(loreTerms)
      .filter((list) => list.length > 0),
    excludedKeys: arePatterns ? [] : (decorators.get('exclude_keys') ?? []).flatMap(loreTerms),
    isCaseSensitive: truth(values.isCaseSensitive) ?? false,
    isWholeWords: !isPartial && (decorators.has('match_full_word') || (truth(values.isWholeWords) ?? true)),
    scanDepth: scanDepth === undefined ? null : Math.max(0, Math.floor(scanDepth)),
    sources: SOURCES.flatMap(([field, source]) => (truth(values[field]) === true ? [source] : [])),
  }
}

function conditions(
  values: Values,
  { values: decorators }: Decorated,
): Part<
  | 'isForced'
  | 'isForbidden'
  | 'probability'
  | 'occasions'
  | 'characters'
  | 'greeting'
  | 'onlyAfter'
  | 'onlyEvery'
  | 'delay'
  | 'sticky'
  | 'cooldown'
  | 'staysOnce'
  | 'comesOnce'
> {
  const isForced = decorators.has('activate')
  const usesProbability = truth(values.usesProbability) ?? true
  const chance =
    number(first(decorators, 'probability')?.replace('%', '')) ??
    (usesProbability ? number(values.probability) : undefined)
  return {
    isForced,
    isForbidden: decorators.has('dont_activate') && !isForced,
    probability: Math.min(100, Math.max(0, chance ?? 100)),
    occasions: occasionsOf(values.occasions),
    characters: charactersOf(values.characters),
    greeting: number(first(decorators, 'is_greeting')) ?? null,
    onlyAfter: number(first(decorators, 'activate_only_after')) ?? 0,
    onlyEvery: number(first(decorators, 'activate_only_every')) ?? 1,
    delay: natural(values.delay),
    sticky: natural(values.sticky),
    cooldown: natural(values.cooldown),
    staysOnce: decorators.has('keep_activate_after_match'),
    comesOnce: decorators.has('dont_activate_after_match'),
  }
}

function recursion(values: Values): Part<'isUnreachable' | 'isSilent' | 'recursionLevel'> {
  const level = number(values.recursionLevel)
  return {
    isUnreachable: truth(values.isUnreachable) === true,
    isSilent: truth(values.isSilent) === true,
    recursionLevel: level === undefined ? Number(truth(values.recursionLevel) === true) : natural(level),
  }
}

function grouping(values: Values): Part<'groups' | 'isGroupFirst' | 'groupWeight' | 'scoresGroup'> {
  return {
    groups: loreTerms(values.groups),
    isGroupFirst: truth(values.isGroupFirst) === true,
    groupWeight: Math.max(0, number(values.groupWeight) ?? USUAL_WEIGHT),
    scoresGroup: truth(values.scoresGroup) === true,
  }
}

function standing(
  values: Values,
  { values: decorators }: Decorated,
): Part<'order' | 'priority' | 'ignoresBudget' | 'yields' | 'silencesHistory'> {
  return {
    order: number(values.order) ?? USUAL_ORDER,
    priority: number(values.priority) ?? null,
    ignoresBudget: truth(values.ignoresBudget) === true,
    yields: decorators.has('ignore_on_max_context'),
    silencesHistory: decorators.has('disable_ui_prompt'),
  }
}

const DESCRIBED: Readonly<Record<string, LorePlace>> = {
  before_desc: { kind: 'beforeDescription' },
  after_desc: { kind: 'afterDescription' },
  personality: { kind: 'personality' },
  scenario: { kind: 'scenario' },
}

function placeOf(values: Values, decorators: Decorated['values'], isWorld: boolean): LorePlace {
  const described = DESCRIBED[first(decorators, 'position')?.toLowerCase() ?? '']
  if (described) return described
  const said = first(decorators, 'role')?.toLowerCase()
  const speaker = said === undefined ? speakerOf(values.role) : speakerOf(said)
  const depth = number(first(decorators, 'depth'))
  if (depth !== undefined) return { kind: 'depth', depth: Math.max(0, depth), speaker }
  const kind = PLACES[number(values.position) ?? -1]
  if (kind === 'depth') {
    return { kind, depth: Math.max(0, Math.floor(number(values.depth) ?? USUAL_DEPTH)), speaker }
  }
  if (kind !== undefined) return { kind }
  return { kind: isWorld || values.side === 'before_char' ? 'before' : 'after' }
}

function speakerOf(value: unknown): NoteSpeaker {
  if (value === 'assistant') return 'role'
  if (value === 'user') return 'user'
  return SPEAKERS[number(value) ?? 0] ?? 'system'
}

/** Nothing chosen means all; what is never asked for here, such as the visitor's lines, means none. */
function occasionsOf(value: unknown): readonly Occasion[] {
  const named = loreTerms(value).map((name) => name.toLowerCase())
  return named.length === 0
    ? ['next', 'other', 'more']
    : [...new Set(named.flatMap((name) => (Object.hasOwn(OCCASIONS, name) ? (OCCASIONS[name] ?? []) : [])))]
}

function charactersOf(value: unknown): LoreCharacters | null {
  if (!isJsonRecord(value)) return null
  const [names, tags] = [loreTerms(ownField(value, 'names')), loreTerms(ownField(value, 'tags'))]
  if (names.length === 0 && tags.length === 0) return null
  return { names, tags, isExcluding: truth(ownField(value, 'isExclude')) === true }
}

function first(decorators: Decorated['values'], name: Decorator): string | undefined {
  return decorators.get(name)?.[0]
}

function text(value: unknown, most: number): string {
  return typeof value === 'string' ? value.slice(0, most).toWellFormed() : ''
}

/** A number, also where a program writes it as a text. */
function number(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' && /^\s*-?\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}

function natural(value: unknown): number {
  return Math.max(0, Math.floor(number(value) ?? 0))
}

/** A truth value, also where a program writes it as a text or a number. */
function truth(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (value === 1 || value === 'true') return true
  return value === 0 || value === 'false' ? false : undefined
}

/** A list of terms; a text alone is parted by commas, unless they are a pattern's. */
export function loreTerms(value: unknown): readonly string[] {
  const isPattern = typeof value === 'string' && /^\s*\/.+\/[a-z]*\s*$/s.test(value)
  const parts: readonly unknown[] =
    typeof value === 'string' ? (isPattern ? [value] : value.split(',')) : Array.isArray(value) ? value : []
  return parts
    .slice(0, MOST_KEYS)
    .map((part) => (typeof part === 'number' ? String(part) : text(part, LONGEST_KEY)).trim())
    .filter((part) => part !== '')
}

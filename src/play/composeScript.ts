import type { Turn } from '../core/dialogue.ts'
import { remark } from '../core/remarks.ts'
import type { Remark } from '../core/remarks.ts'
import type { FiredEntry, Note, PassedEntry, Script, ScriptReport, ScriptText } from '../core/script.ts'
import type { LorePlace } from '../formats/lore/lorebook.ts'
import { cutText } from '../model/prompt.ts'
import type { Aside, TextCounter } from '../model/prompt.ts'
import type { Activated } from './lore/activate.ts'
import { booksOf, loreOf } from './lore/lore.ts'
import type { Lore } from './lore/lore.ts'
import { roomOf, SYSTEM_SHARE } from './speak.ts'

/** What a script is put together for. */
export interface ScriptStage {
  readonly tokenizer: TextCounter
  /** Tokens that prompt and answer may have together. */
  readonly context: number
  /** The line of whoever plays. */
  readonly system: string | null
  readonly turns: readonly Turn[]
  /** The last turn is the role's own and is carried on. */
  readonly continueLast: boolean
}

/** A script put together. */
export interface ComposedScript {
  readonly system: string | null
  readonly asides: readonly Aside[]
  readonly report: ScriptReport
}

/** The share of the context that lorebooks may take together. */
const LORE_SHARE = 0.25
/** The share of a chat's room that may go among its messages. */
const ASIDE_SHARE = 0.3
/** The rest of a text that is worth sending, in tokens. */
const LEAST_REST = 24

type Place = Exclude<LorePlace['kind'], 'depth'>

/** In which order things stand before the chat: a text of the card or of the visitor, and what lorebooks say there. */
const ORDER: readonly { readonly text?: ScriptText; readonly lore?: Place }[] = [
  { lore: 'before' },
  { text: 'persona' },
  { lore: 'beforeDescription' },
  { text: 'description' },
  { lore: 'afterDescription' },
  { text: 'personality', lore: 'personality' },
  { text: 'scenario', lore: 'scenario' },
  { lore: 'after' },
  { text: 'memory' },
  { text: 'recap' },
  { lore: 'beforeExamples' },
  { text: 'examples' },
  { lore: 'afterExamples' },
]

/** What makes room first. */
const YIELDING = ['examples', 'scenario', 'personality', 'recap', 'persona', 'description'] as const

/**
 * Puts a script together: the texts of the card, what lorebooks add to them, and what goes among the messages, each in its
 * place and within its share of the context. What finds no room is told.
 *
 * Reference: kwaroran/character-card-spec-v3, SPEC_V3.md; SillyTavern's documentation, "World Info" and "Author's Note".
 */
export function composeScript(script: Script, stage: ScriptStage): ComposedScript {
  const { tokenizer, context, turns } = stage
  const tokensOf = (text: string): number => tokenizer.encode(tokenizer.quote(text)).length
  const room = roomOf(context)
  const lore = loreOf({
    script,
    books: booksOf(script),
    turns,
    budget: Math.floor(context * LORE_SHARE),
    isFull: () => turns.reduce((sum, { text }) => sum + tokensOf(text), 0) > room * SYSTEM_SHARE,
    tokensOf,
  })
  const { placed, passed } = withPlace(lore, script)
  const shown = fitTexts(script.texts, placed, stage, Math.floor(room * SYSTEM_SHARE))
  const among = asidesOf(script, placed, stage, Math.floor(room * ASIDE_SHARE))
  const fired = placed.filter((entry) => !among.without.has(entry))
  return {
    system:
      [stage.system ?? '', shown.text].filter((part) => part.trim() !== '').join('\n\n') || stage.system,
    asides: among.asides,
    report: {
      fired: fired.map(firedEntry),
      passed: [
        ...lore.passed,
        ...passed,
        ...[...among.without].map((one) => passedEntry(one, remark('passed.asides'))),
      ],
      notes: [...shown.notes, ...among.notes, ...lore.faults],
    },
  }
}

function firedEntry({ candidate: { entry, book }, why, tokens }: Activated): FiredEntry {
  return { book: book.name, title: entry.title, why, where: remark(`where.${entry.place.kind}`), tokens }
}

function passedEntry({ candidate: { entry, book } }: Activated, why: Remark): PassedEntry {
  return { book: book.name, title: entry.title, why }
}

/** What has a place here, and what has none. */
function withPlace(
  { activated }: Lore,
  { notes }: Script,
): { readonly placed: readonly Activated[]; readonly passed: readonly PassedEntry[] } {
  const hasNote = notes.some(({ kind }) => kind === 'authorsNote')
  const reasonAgainst = ({ candidate }: Activated): Remark | null => {
    const { kind } = candidate.entry.place
    if (kind === 'outlet') return remark('passed.outlet')
    return (kind === 'aboveNote' || kind === 'belowNote') && !hasNote ? remark('passed.noNote') : null
  }
  return {
    placed: activated.filter((one) => reasonAgainst(one) === null),
    passed: activated.flatMap((one) => {
      const reason = reasonAgainst(one)
      return reason === null ? [] : [passedEntry(one, reason)]
    }),
  }
}

/** What lorebooks say in a place; where the card has nothing that it belongs to, it stands behind the character. */
function loreAt(place: Place, placed: readonly Activated[], texts: Script['texts']): string {
  const isAt = ({ candidate }: Activated): boolean => {
    const { kind } = candidate.entry.place
    const isHomeless = (kind === 'personality' || kind === 'scenario') && !texts[kind]
    return (isHomeless ? 'after' : kind) === place
  }
  return placed
    .filter(isAt)
    .map(({ text }) => text)
    .join('\n\n')
}

/** What stands before the chat behind the line of whoever plays, the card's own texts cut where all is too long. */
function fitTexts(
  texts: Script['texts'],
  placed: readonly Activated[],
  { tokenizer, system }: ScriptStage,
  most: number,
): { readonly text: string; readonly notes: readonly Remark[] } {
  const left = new Map(Object.entries(texts) as [ScriptText, string][])
  const whole = (): string =>
    ORDER.flatMap(({ text, lore }) => [
      (text && left.get(text)) ?? '',
      lore ? loreAt(lore, placed, texts) : '',
    ])
      .filter((part) => part.trim() !== '')
      .join('\n\n')
  const tokensOf = (text: string): number => tokenizer.encode(tokenizer.quote(text)).length
  const size = (): number => tokensOf([system ?? '', whole()].join('\n\n'))
  const notes: Remark[] = []
  for (const kind of YIELDING) {
    const text = left.get(kind) ?? ''
    const over = size() - most
    if (over <= 0 || text === '') continue
    const rest = tokensOf(text) - over
    left.set(kind, rest >= LEAST_REST ? cutText(tokenizer, text, rest) : '')
    notes.push(remark(rest >= LEAST_REST ? `room.${kind}.end` : `room.${kind}`))
  }
  return { text: whole(), notes }
}

const ROLES = { system: 'system', user: 'user', role: 'assistant' } as const

/** One thing that is to go among the messages. */
interface Among {
  readonly entry: Activated | null
  readonly aside: Aside
  /** Which note it is; null for an entry, which is told by itself. */
  readonly note: Note['kind'] | null
}

/** What goes among the messages: notes before entries where there is no room for all. */
function asidesOf(
  script: Script,
  placed: readonly Activated[],
  stage: ScriptStage,
  most: number,
): {
  readonly asides: readonly Aside[]
  readonly without: ReadonlySet<Activated>
  readonly notes: readonly Remark[]
} {
  const { tokenizer, turns, continueLast } = stage
  const end = turns.length - Number(continueLast)
  const asideOf = ({ text, depth, speaker }: Pick<Note, 'text' | 'depth' | 'speaker'>): Aside => ({
    index: Math.max(0, end - depth),
    role: ROLES[speaker],
    text,
  })
  const entries = placed.flatMap((entry): readonly Among[] => {
    const { place: at } = entry.candidate.entry
    if (at.kind !== 'depth') return []
    const isCalled = !entry.candidate.entry.isConstant && !entry.candidate.entry.isForced
    return [{ entry, aside: { ...asideOf({ ...at, text: entry.text }), isCalled }, note: null }]
  })
  const notes = notesOf(script, placed).map((note): Among => {
    return { entry: null, aside: asideOf(note), note: note.kind }
  })
  const kept = new Set<Among>()
  let spent = 0
  // The most important entries stand last.
  for (const one of [...notes.toReversed(), ...entries.toReversed()]) {
    const tokens = tokenizer.encode(tokenizer.quote(one.aside.text)).length
    if (spent + tokens > most) continue
    spent += tokens
    kept.add(one)
  }
  const all = [...entries, ...notes]
  const lost = all.filter((one) => !kept.has(one))
  return {
    asides: joined(all.filter((one) => kept.has(one))),
    without: new Set(lost.flatMap(({ entry }) => entry ?? [])),
    notes: lost.flatMap(({ note }) => (note === null ? [] : [remark(`room.${note}`)])),
  }
}

/** What lorebooks say in one place, by one speaker, as one message; notes stand by themselves. */
function joined(among: readonly Among[]): readonly Aside[] {
  const asides: Aside[] = []
  for (const [at, { entry, aside }] of among.entries()) {
    const [before, last] = [among[at - 1], asides.at(-1)]
    const isSame = (['index', 'role', 'isCalled'] as const).every((key) => before?.aside[key] === aside[key])
    if (last && entry && before?.entry && isSame) {
      asides[asides.length - 1] = { ...last, text: `${last.text}\n${aside.text}` }
    } else asides.push(aside)
  }
  return asides
}

/** The notes of a script, the visitor's with what lorebooks put around it. */
function notesOf({ notes }: Script, placed: readonly Activated[]): readonly Note[] {
  const isSilent = placed.some(({ candidate }) => candidate.entry.silencesHistory)
  const around = (place: Place): readonly string[] =>
    placed.filter(({ candidate }) => candidate.entry.place.kind === place).map(({ text }) => text)
  return notes
    .filter(({ kind }) => !(isSilent && kind === 'postHistory'))
    .map((note) =>
      note.kind === 'authorsNote'
        ? { ...note, text: [...around('aboveNote'), note.text, ...around('belowNote')].join('\n') }
        : note,
    )
}

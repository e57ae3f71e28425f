import { check, HycoraError } from './errors.ts'
import { parsePattern } from './patternSyntax.ts'
import type { Edge, Expression, Look } from './patternSyntax.ts'

/** Steps that are left to all patterns together; each test takes some of them. */
export interface Allowance {
  steps: number
}

/** A stranger's regular expression that cannot run on for ever. */
export interface BoundedPattern {
  /**
   * Whether a text has a match, as `RegExp.prototype.test` says; false too once the allowance is spent.
   *
   * The states that the pattern may be in are followed together, so that a text of n characters takes at most n steps for
   * each of them, and n² where the pattern looks ahead or behind.
   */
  test(text: string, allowance: Allowance): boolean
}

/** States that a pattern may have; `a{1000}` has a thousand. */
const MOST_STATES = 4096

type State =
  | { readonly kind: 'character'; readonly matches: (character: string) => boolean; readonly next: number }
  | { readonly kind: 'fork'; readonly ways: number[] }
  | { readonly kind: 'edge'; readonly edge: Edge; readonly next: number }
  | { readonly kind: 'look'; readonly look: Look; readonly program: Program; readonly next: number }
  | { readonly kind: 'match' }

interface Program {
  readonly states: readonly State[]
  readonly start: number
  readonly isBackward: boolean
}

/**
 * Compiles a regular expression of JavaScript to be tested in bounded time.
 *
 * Reference: Thompson, "Programming Techniques: Regular expression search algorithm", 1968.
 *
 * @throws HycoraError `format-invalid` for what is no pattern, `format-unsupported` for what refers back to a group, which no
 *   bounded way can do, and for more than 4,096 states.
 */
export function compilePattern(source: string, flags = ''): BoundedPattern {
  try {
    void new RegExp(source, flags)
  } catch (error) {
    throw new HycoraError('format-invalid', `/${source.slice(0, 64)}/ is no regular expression`, {
      cause: error,
    })
  }
  const program = compile(parsePattern(source, flags), false, { states: 0 })
  const isUnicode = flags.includes('u')
  const rules: Rules = {
    isMultiline: flags.includes('m'),
    isWord: wordTest(flags),
    isSticky: flags.includes('y'),
  }
  return {
    test(text, allowance) {
      const characters = isUnicode ? Array.from(text) : text.split('')
      return new Run(characters, rules, allowance).finds(program)
    },
  }
}

function wordTest(flags: string): (character: string) => boolean {
  const word = new RegExp('^\\w$', flags.replaceAll(/[^iu]/g, ''))
  return (character) => word.test(character)
}

/** The states of an expression, read backward where it looks behind. */
function compile(expression: Expression, isBackward: boolean, count: { states: number }): Program {
  const states: State[] = []
  const add = (state: State): number => {
    count.states++
    check(
      count.states <= MOST_STATES,
      'format-unsupported',
      () => `the pattern has more than ${MOST_STATES} states`,
    )
    return states.push(state) - 1
  }
  /** The state in which an expression begins that goes on to `next`. */
  const build = (part: Expression, next: number): number => {
    switch (part.kind) {
      case 'character':
        return add({ kind: 'character', matches: part.matches, next })
      case 'edge':
        return add({ kind: 'edge', edge: part.edge, next })
      case 'look':
        return add({
          kind: 'look',
          look: part,
          program: compile(part.part, part.isBehind, count),
          next,
        })
      case 'sequence': {
        const ordered = isBackward ? part.parts : part.parts.toReversed()
        return ordered.reduce((after, one) => build(one, after), next)
      }
      case 'either':
        return add({ kind: 'fork', ways: part.parts.map((one) => build(one, next)) })
      case 'repeat':
        return repeat(part, next)
    }
  }
  const repeat = ({ part, least, most }: Expression & { kind: 'repeat' }, next: number): number => {
    let after = next
    if (most === Infinity) {
      const ways: number[] = []
      after = add({ kind: 'fork', ways })
      ways.push(build(part, after), next)
    } else {
      for (let index = least; index < most; index++) {
        after = add({ kind: 'fork', ways: [build(part, after), next] })
      }
    }
    for (let index = 0; index < least; index++) after = build(part, after)
    return after
  }
  const start = build(expression, add({ kind: 'match' }))
  return { states, start, isBackward }
}

interface Rules {
  readonly isMultiline: boolean
  readonly isSticky: boolean
  readonly isWord: (character: string) => boolean
}

/** One test of one text. */
class Run {
  private readonly looks = new Map<Program, Map<number, boolean>>()

  private readonly characters: readonly string[]
  private readonly rules: Rules
  private readonly allowance: Allowance

  constructor(characters: readonly string[], rules: Rules, allowance: Allowance) {
    this.characters = characters
    this.rules = rules
    this.allowance = allowance
    allowance.steps -= characters.length
  }

  finds(program: Program): boolean {
    return this.follows(program, 0, !this.rules.isSticky)
  }

  /** Whether the program matches from a place on; `isAnywhere`: or from any after it. */
  private follows(program: Program, from: number, isAnywhere: boolean): boolean {
    const { characters } = this
    const step = program.isBackward ? -1 : 1
    let present: readonly number[] = [program.start]
    for (let at = from; ; at += step) {
      const open = this.closure(program, present, at)
      if (open === null) return true
      if (this.allowance.steps <= 0) return false
      const character = characters[program.isBackward ? at - 1 : at]
      if (character === undefined) return false
      const next = new Set<number>()
      for (const state of open) if (state.matches(character)) next.add(state.next)
      if (isAnywhere) next.add(program.start)
      else if (next.size === 0) return false
      present = [...next]
    }
  }

  /** The states that wait for a character, reached from these without one; null where one of them is the match. */
  private closure(
    program: Program,
    from: readonly number[],
    at: number,
  ): readonly (State & { kind: 'character' })[] | null {
    const seen = new Set(from)
    const waiting: (State & { kind: 'character' })[] = []
    for (const index of seen) {
      if (--this.allowance.steps <= 0) return []
      const state = program.states[index]
      if (state === undefined) continue
      if (state.kind === 'match') return null
      if (state.kind === 'character') waiting.push(state)
      else if (state.kind === 'fork') for (const way of state.ways) seen.add(way)
      else if (state.kind === 'edge' ? this.isAt(state.edge, at) : this.holds(state, at)) seen.add(state.next)
    }
    return waiting
  }

  private isAt(edge: Edge, at: number): boolean {
    const { isMultiline, isWord } = this.rules
    const [before, behind] = [this.characters[at - 1], this.characters[at]]
    switch (edge) {
      case 'start':
        return before === undefined || (isMultiline && isLineEnd(before))
      case 'end':
        return behind === undefined || (isMultiline && isLineEnd(behind))
      case 'word':
      case 'within': {
        const isEdge = (before !== undefined && isWord(before)) !== (behind !== undefined && isWord(behind))
        return isEdge === (edge === 'word')
      }
    }
  }

  /** What a look ahead or behind finds at a place, found once. */
  private holds({ look, program }: State & { kind: 'look' }, at: number): boolean {
    const known = this.looks.get(program) ?? new Map<number, boolean>()
    this.looks.set(program, known)
    const found = known.get(at) ?? this.follows(program, at, false)
    known.set(at, found)
    return found !== look.isNegative
  }
}

function isLineEnd(character: string): boolean {
  return /^[\n\r\u2028\u2029]$/.test(character)
}

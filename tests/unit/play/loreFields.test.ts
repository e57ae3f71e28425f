import { describe, expect, test } from 'vitest'

import { remark } from '../../../src/core/remarks.ts'
import { inEnglish } from '../../../src/core/remarkTexts.ts'
import { BOOK_FIELDS, DECORATORS, ENTRY_FIELDS } from '../../../src/formats/lore/fields.ts'
import type { EntryField } from '../../../src/formats/lore/fields.ts'
import { bookIn, played, talk, titles } from '../../support/loreScene.ts'
import type { EntryValues, LoreStage } from '../../support/loreScene.ts'

/*
 * Every field that the table calls honoured, with what it changes: the same book with and without it is told apart by what
 * is sent.
 */

interface FieldCase {
  readonly stage?: LoreStage
  /** The entry that has the field. */
  readonly entry: EntryValues
  /** What the field has in the other book; left out, it is not there. */
  readonly instead?: unknown
  readonly others?: readonly EntryValues[]
  /** What is sent with it, and without: the titles, or where nothing else tells, the text before the chat. */
  readonly sent: readonly [withIt: unknown, without: unknown]
  readonly of?: 'titles' | 'system' | 'asides'
}

const dragon = { comment: 'Dragon', keys: ['dragon'], content: 'The dragon sleeps.' }
const always = { comment: 'Always', keys: [], isConstant: true, content: 'Always so.' }
const cave = { comment: 'Cave', keys: ['cave'], content: 'A cave.' }
const told = { comment: 'Teller', keys: ['dragon'], content: 'It lives in the cave.' }
const long = 'word '.repeat(700).trim()
const two = (values: EntryValues): readonly EntryValues[] => [{ ...dragon, comment: 'Other', ...values }]
const notes = [{ kind: 'depthPrompt', text: 'A wyrm.', depth: 4, speaker: 'system' }] as const
const later = talk('Tell me of the dragon.', 'Aye.', 'And then?', 'Well.', 'What else?', 'Hm.', 'So?')

const CASES: Readonly<Partial<Record<EntryField, FieldCase>>> = {
  keys: { entry: dragon, instead: [], sent: [['Dragon'], []] },
  secondaryKeys: { entry: { ...dragon, isSelective: true, secondaryKeys: ['cave'] }, sent: [[], ['Dragon']] },
  isSelective: {
    entry: { ...dragon, isSelective: true, secondaryKeys: ['cave'] },
    instead: false,
    sent: [[], ['Dragon']],
  },
  logic: {
    entry: { ...dragon, isSelective: true, secondaryKeys: ['cave'], logic: 2 },
    sent: [['Dragon'], []],
  },
  arePatterns: {
    entry: { ...dragon, keys: ['dr.gon'], arePatterns: true },
    instead: false,
    sent: [['Dragon'], []],
  },
  content: { entry: dragon, instead: '', sent: [['Dragon'], []] },
  isEnabled: { entry: { ...dragon, isEnabled: false }, sent: [[], ['Dragon']] },
  isDisabled: { entry: { ...dragon, isDisabled: true }, sent: [[], ['Dragon']] },
  isConstant: { entry: always, sent: [['Always'], []] },
  order: {
    entry: { ...dragon, order: 200 },
    others: two({}),
    sent: [
      ['Other', 'Dragon'],
      ['Dragon', 'Other'],
    ],
  },
  priority: {
    entry: { ...dragon, content: long, priority: 1 },
    others: two({ content: long }),
    sent: [['Other'], ['Dragon']],
  },
  side: {
    entry: { ...dragon, side: 'before_char' },
    instead: 'after_char',
    of: 'system',
    sent: [
      expect.stringMatching(/The dragon sleeps\.\n\nOrla keeps/),
      expect.stringMatching(/A storm\.\n\nThe dragon sleeps/),
    ],
  },
  position: {
    entry: { ...dragon, position: 0 },
    instead: 5,
    of: 'system',
    sent: [
      expect.stringMatching(/The dragon sleeps\.\n\nOrla keeps/),
      expect.stringMatching(/A storm\.\n\nThe dragon sleeps\.\n\nHow Orla/),
    ],
  },
  depth: {
    entry: { ...dragon, position: 4, depth: 1 },
    stage: { turns: talk('Hm.', 'Aye.', 'The dragon?') },
    of: 'asides',
    sent: [
      [{ index: 2, role: 'system', text: 'The dragon sleeps.', isCalled: true }],
      [{ index: 0, role: 'system', text: 'The dragon sleeps.', isCalled: true }],
    ],
  },
  role: {
    entry: { ...dragon, position: 4, role: 2 },
    of: 'asides',
    sent: [
      [{ index: 0, role: 'assistant', text: 'The dragon sleeps.', isCalled: true }],
      [{ index: 0, role: 'system', text: 'The dragon sleeps.', isCalled: true }],
    ],
  },
  scanDepth: { entry: { ...dragon, scanDepth: 7 }, stage: { turns: later }, sent: [['Dragon'], []] },
  isCaseSensitive: { entry: { ...dragon, keys: ['Dragon'], isCaseSensitive: true }, sent: [[], ['Dragon']] },
  isWholeWords: { entry: { ...dragon, keys: ['drag'], isWholeWords: false }, sent: [['Dragon'], []] },
  probability: { entry: { ...dragon, probability: 0 }, sent: [[], ['Dragon']] },
  usesProbability: { entry: { ...dragon, probability: 0, usesProbability: false }, sent: [['Dragon'], []] },
  isUnreachable: {
    entry: { ...cave, isUnreachable: true },
    others: [told],
    sent: [['Teller'], ['Cave', 'Teller']],
  },
  isSilent: { entry: { ...told, isSilent: true }, others: [cave], sent: [['Teller'], ['Teller', 'Cave']] },
  recursionLevel: { entry: { ...dragon, recursionLevel: 1 }, sent: [[], ['Dragon']] },
  groups: {
    entry: { ...dragon, groups: 'g', isGroupFirst: true },
    others: two({ groups: 'g' }),
    sent: [['Dragon'], ['Dragon', 'Other']],
  },
  isGroupFirst: {
    entry: { ...dragon, groups: 'g', groupWeight: 0, isGroupFirst: true },
    others: two({ groups: 'g' }),
    sent: [['Dragon'], ['Other']],
  },
  groupWeight: {
    entry: { ...dragon, groups: 'g', groupWeight: 0 },
    others: two({ groups: 'g', groupWeight: 1 }),
    sent: [['Other'], ['Dragon']],
  },
  scoresGroup: {
    entry: { ...dragon, groups: 'g', groupWeight: 1000, scoresGroup: true },
    others: two({ groups: 'g', groupWeight: 1, keys: ['dragon', 'tell'] }),
    sent: [['Other'], ['Dragon']],
  },
  sticky: { entry: { ...dragon, sticky: 6 }, stage: { turns: later }, sent: [['Dragon'], []] },
  cooldown: {
    entry: { ...dragon, cooldown: 6 },
    stage: { turns: talk('The dragon?', 'Aye.', 'The dragon!') },
    sent: [[], ['Dragon']],
  },
  delay: { entry: { ...dragon, delay: 2 }, sent: [[], ['Dragon']] },
  ignoresBudget: {
    entry: { ...dragon, order: 1, content: long, ignoresBudget: true },
    others: two({ content: long }),
    sent: [['Dragon', 'Other'], ['Other']],
  },
  readsPersona: {
    entry: { ...cave, readsPersona: true },
    stage: { script: { texts: { persona: 'Mira fears the cave.' } } },
    sent: [['Cave'], []],
  },
  readsDescription: { entry: { ...cave, keys: ['keeps'], readsDescription: true }, sent: [['Cave'], []] },
  readsPersonality: {
    entry: { ...cave, readsPersonality: true },
    stage: { script: { texts: { personality: 'Dark as a cave.' } } },
    sent: [['Cave'], []],
  },
  readsDepthPrompt: {
    entry: { ...cave, keys: ['wyrm'], readsDepthPrompt: true },
    stage: { script: { notes } },
    sent: [['Cave'], []],
  },
  readsScenario: { entry: { ...cave, keys: ['storm'], readsScenario: true }, sent: [['Cave'], []] },
  readsCreatorNotes: { entry: { ...cave, keys: ['winter'], readsCreatorNotes: true }, sent: [['Cave'], []] },
  occasions: { entry: { ...dragon, occasions: ['continue'] }, sent: [[], ['Dragon']] },
  characters: {
    entry: { ...dragon, characters: { names: ['Selma'], tags: [], isExclude: false } },
    sent: [[], ['Dragon']],
  },
}

/** Of what is asked: the titles of what is sent, the text before the chat, or what goes among the messages. */
function sentOf(
  entries: readonly EntryValues[],
  form: 'card' | 'world',
  { stage, of = 'titles' }: FieldCase,
): unknown {
  const found = played([bookIn(form, entries)!], stage)
  return of === 'titles' ? titles(found) : found[of]
}

const honoured = (Object.keys(ENTRY_FIELDS) as EntryField[]).filter(
  (field) => ENTRY_FIELDS[field].use === 'honoured',
)

describe('the fields of an entry', () => {
  test('that are honoured all have a case here', () => {
    expect(Object.keys(CASES).toSorted()).toEqual(honoured.toSorted())
  })

  test.each(
    honoured.flatMap((field) =>
      (['card', 'world'] as const)
        .filter((form) => bookIn(form, [CASES[field]!.entry]) !== null)
        .map((form) => [field, form] as const),
    ),
  )('%s matters in %s', (field, form) => {
    const found = CASES[field]!
    const { entry, others = [], sent } = found
    const { [field]: _, ...bare } = entry
    const without = found.instead === undefined ? bare : { ...bare, [field]: found.instead }
    expect(sentOf([entry, ...others], form, found)).toEqual(sent[0])
    expect(sentOf([without, ...others], form, found)).toEqual(sent[1])
  })
})

const content = (decorators: string, text = 'The dragon sleeps.'): EntryValues => ({
  ...dragon,
  content: `${decorators}\n${text}`,
})

/** What each decorator makes of an entry: what is sent, as above. */
const DECORATED: Readonly<Record<string, FieldCase>> = {
  activate_only_after: { entry: content('@@activate_only_after 1'), sent: [[], ['Dragon']] },
  activate_only_every: {
    entry: content('@@activate_only_every 2'),
    stage: { turns: talk('Hm.', 'Aye.', 'The dragon?') },
    sent: [[], ['Dragon']],
  },
  keep_activate_after_match: {
    entry: content('@@keep_activate_after_match'),
    stage: { turns: later },
    sent: [['Dragon'], []],
  },
  dont_activate_after_match: {
    entry: content('@@dont_activate_after_match'),
    stage: { turns: talk('The dragon?', 'Aye.', 'The dragon!') },
    sent: [[], ['Dragon']],
  },
  depth: {
    entry: content('@@depth 0'),
    of: 'asides',
    sent: [[{ index: 1, role: 'system', text: 'The dragon sleeps.', isCalled: true }], []],
  },
  role: {
    entry: content('@@depth 0\n@@role user'),
    of: 'asides',
    sent: [[{ index: 1, role: 'user', text: 'The dragon sleeps.', isCalled: true }], []],
  },
  scan_depth: { entry: content('@@scan_depth 7'), stage: { turns: later }, sent: [['Dragon'], []] },
  is_greeting: { entry: content('@@is_greeting 1'), sent: [[], ['Dragon']] },
  position: {
    entry: content('@@position before_desc'),
    of: 'system',
    sent: [
      expect.stringMatching(/The dragon sleeps\.\n\nOrla keeps/),
      expect.stringMatching(/A storm\.\n\nThe dragon sleeps\./),
    ],
  },
  ignore_on_max_context: {
    entry: content('@@ignore_on_max_context'),
    stage: { turns: talk(`${long} dragon`), context: 1024 },
    sent: [[], ['Dragon']],
  },
  additional_keys: { entry: content('@@additional_keys cave, lake'), sent: [[], ['Dragon']] },
  exclude_keys: { entry: content('@@exclude_keys tell'), sent: [[], ['Dragon']] },
  dont_activate: { entry: content('@@dont_activate'), sent: [[], ['Dragon']] },
  activate: { entry: { ...content('@@activate'), keys: [] }, sent: [['Dragon'], []] },
  disable_ui_prompt: {
    entry: content('@@disable_ui_prompt post_history_instructions'),
    stage: { script: { notes: [{ kind: 'postHistory', text: 'Be brief.', depth: 0, speaker: 'system' }] } },
    of: 'asides',
    sent: [[], [{ index: 1, role: 'system', text: 'Be brief.' }]],
  },
  constant: { entry: { ...content('@@constant'), keys: [] }, sent: [['Dragon'], []] },
  probability: { entry: content('@@probability 0'), sent: [[], ['Dragon']] },
  match_full_word: {
    entry: { ...content('@@match_full_word'), keys: ['drag'], isWholeWords: false },
    sent: [[], ['Dragon']],
  },
  match_partial_word: {
    entry: { ...content('@@match_partial_word'), keys: ['drag'] },
    sent: [['Dragon'], []],
  },
}

describe('decorators', () => {
  const names = Object.entries(DECORATORS).flatMap(([name, use]) => (use === 'honoured' ? [name] : []))

  test('that are honoured all have a case here', () => {
    expect(Object.keys(DECORATED).toSorted()).toEqual(names.toSorted())
  })

  test.each(names)('@@%s matters', (name) => {
    const found = DECORATED[name]!
    const { entry, sent } = found
    const plain = { ...entry, content: 'The dragon sleeps.' }
    expect(sentOf([entry], 'card', found)).toEqual(sent[0])
    expect(sentOf([plain], 'card', found)).toEqual(sent[1])
    expect(sentOf([entry], 'world', found)).toEqual(sent[0])
  })

  test.each(Object.entries(DECORATORS).flatMap(([name, use]) => (use === 'named' ? [name] : [])))(
    '@@%s is named, and no part of what is sent',
    (name) => {
      const found = played([bookIn('card', [content(`@@${name} 3`)])!])
      expect(found.system).toContain('The dragon sleeps.')
      expect(found.system).not.toContain('@@')
      expect(found.report.notes).toEqual([
        remark('lore.decorator', { decorator: `@@${name}`, title: 'Dragon' }),
      ])
    },
  )

  test('fall back on the first that is known', () => {
    const entry = content('@@other_page 4\n@@@another\n@@@dont_activate\n@@@activate')
    const { report } = played([bookIn('card', [entry])!])
    expect(report).toEqual({ fired: [], passed: [], notes: [] })
  })

  test.each(['@@depth x', '@@role king', '@@activate_only_every 0', '@@disable_ui_prompt system_prompt'])(
    'with a value that says nothing are named: %s',
    (line) => {
      const { report } = played([bookIn('card', [content(line)])!])
      expect(report.notes.map(inEnglish)).toEqual([`${line.split(' ')[0]} of “Dragon” is not known here.`])
      expect(report.fired).toHaveLength(1)
    },
  )
})

describe('the fields of a book', () => {
  const cases: Readonly<
    Record<string, readonly [value: unknown, withIt: readonly string[], without: readonly string[]]>
  > = {
    scan_depth: [0, [], ['Teller', 'Cave']],
    token_budget: [7, ['Teller'], ['Teller', 'Cave']],
    recursive_scanning: [false, ['Teller'], ['Teller', 'Cave']],
    entries: [[], [], ['Teller', 'Cave']],
  }

  test('that are honoured all have a case here', () => {
    const names = Object.entries(BOOK_FIELDS).flatMap(([name, use]) => (use === 'honoured' ? [name] : []))
    expect(Object.keys(cases).toSorted()).toEqual(names.toSorted())
  })

  test.each(Object.entries(cases))('%s matters', (name, [value, withIt, without]) => {
    const book = bookIn('card', [told, cave])!
    expect(titles(played([{ ...book, [name]: value }]))).toEqual(withIt)
    expect(titles(played([book]))).toEqual(without)
  })
})

/*
 * Character cards after the lists of features of their specifications: V1, V2 (malfoyslastname/character-card-spec-v2), V3
 * (kwaroran/character-card-spec-v3, SPEC_V3.md). Written for these tests; together they have every field of each.
 */

type JsonObject = Readonly<Record<string, unknown>>

export interface CardExample {
  readonly what: string
  readonly whole: JsonObject
  /** What its character is called, and how they greet. */
  readonly name: string
  readonly greetings: readonly string[]
  /** What is said to the character, and what must stand in the prompt then; nothing of `never` may. */
  readonly said?: string
  readonly sent: readonly string[]
  readonly never?: readonly string[]
}

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const v2 = (data: JsonObject, beside: JsonObject = {}): JsonObject => ({
  ...beside,
  spec: 'chara_card_v2',
  spec_version: '2.0',
  data,
})
const v3 = (data: JsonObject): JsonObject => ({ spec: 'chara_card_v3', spec_version: '3.0', data })

export const cardExamples: readonly CardExample[] = [
  {
    what: 'the flat first version',
    whole: {
      name: 'Wenna',
      description: '{{char}} mends nets.',
      personality: 'Dry.',
      scenario: 'A slipway in {{user}}’s village.',
      first_mes: 'Mind the hooks, {{user}}.',
      mes_example: '<START>\n{{user}}: Cold?\n{{char}}: It was colder.',
    },
    name: 'Wenna',
    greetings: ['Mind the hooks, {{user}}.'],
    sent: ['Wenna mends nets.', 'Dry.', 'A slipway in Mira’s village.', 'Wenna: It was colder.'],
  },
  {
    what: 'instructions of their own, around those of the page',
    whole: v2({
      name: 'Bran',
      description: 'A smith.',
      system_prompt: '{{original}} Rhyme where you can.',
      post_history_instructions: '{{original}}Two sentences, {{char}}.',
      first_mes: 'Ay.',
    }),
    name: 'Bran',
    greetings: ['Ay.'],
    sent: ['Answer as Bran and as nobody else. Rhyme where you can.', 'Two sentences, Bran.'],
    never: ['{{original}}'],
  },
  {
    what: 'further greetings, one of which says nothing',
    whole: v2({
      name: 'Una',
      first_mes: 'Late again.',
      alternate_greetings: ['Early, for once.', '  ', 'Who let you in?'],
      tags: ['moor', 'keeper'],
    }),
    name: 'Una',
    greetings: ['Late again.', 'Early, for once.', 'Who let you in?'],
    sent: [],
  },
  {
    what: 'a lorebook with keys, secondary keys and an entry that always stands',
    whole: v2({
      name: 'Zed',
      description: 'A pilot.',
      first_mes: 'Ahoy.',
      character_book: {
        name: 'Shoals',
        description: 'For pilots.',
        scan_depth: 2,
        token_budget: 400,
        recursive_scanning: false,
        extensions: { theirs: 1 },
        entries: [
          entry(['wreck'], 'The Anna lies off the point.'),
          entry(['bell'], 'The bell rings in fog.', { secondary_keys: ['fog'], selective: true }),
          entry([], 'The tide turns at six.', { constant: true, position: 'after_char' }),
          entry(['wreck'], 'Nobody dives there.', { enabled: false }),
        ],
      },
    }),
    name: 'Zed',
    greetings: ['Ahoy.'],
    said: 'Is there a wreck by the bell?',
    sent: ['The Anna lies off the point.', 'The tide turns at six.'],
    never: ['The bell rings in fog.', 'Nobody dives there.', 'For pilots.'],
  },
  {
    what: 'what other programs keep in extensions, and notes for people',
    whole: v2(
      {
        name: 'Ivo',
        first_mes: 'Tickets.',
        creator: 'Mira',
        creator_notes: 'Best at night.',
        character_version: '1.4',
        extensions: {
          talkativeness: '0.8',
          fav: true,
          world: 'Ferry',
          depth_prompt: { prompt: '{{char}} watches the water.', depth: 2, role: 'system' },
          chub: { id: 7, nested: [null, { deep: 'yes' }] },
        },
      },
      { create_date: '2024-9-28', chat: 'Ivo - 1' },
    ),
    name: 'Ivo',
    greetings: ['Tickets.'],
    sent: ['Ivo watches the water.'],
    never: ['Best at night.', 'Mira wrote'],
  },
  {
    what: 'a nickname, which macros say in place of the name',
    whole: v3({
      name: 'Captain Josephine Brine',
      nickname: 'Jo',
      description: '{{char}} steers the ferry.',
      first_mes: '{{char}} nods.',
      mes_example: '<START>\n{{user}}: Wind?\n{{char}}: West.',
    }),
    name: 'Jo',
    greetings: ['{{char}} nods.'],
    sent: ['Jo steers the ferry.', 'Jo: West.'],
    never: ['Captain Josephine Brine steers'],
  },
  {
    what: 'pictures and files of every kind',
    whole: v3({
      name: 'Orla',
      first_mes: 'The lamp is out.',
      assets: [
        { type: 'icon', uri: PIXEL, name: 'main', ext: 'png' },
        { type: 'background', uri: 'https://example.org/b.png', name: 'main', ext: 'png' },
        { type: 'emotion', uri: 'ccdefault:', name: 'happy', ext: 'png' },
        { type: 'user_icon', uri: 'https://example.org/u.png', name: 'u', ext: 'png' },
        { type: 'x_theirs', uri: 'https://example.org/x.bin', name: 'x', ext: 'unknown' },
      ],
    }),
    name: 'Orla',
    greetings: ['The lamp is out.'],
    sent: [],
  },
  {
    what: 'where it comes from, when, and notes in several languages',
    whole: v3({
      name: 'Mei',
      first_mes: '你来了。',
      creator_notes: 'For the tea house.',
      creator_notes_multilingual: { en: 'For the tea house.', zh: '茶馆里用。' },
      source: ['https://example.org/mei', 'theirs:7'],
      creation_date: 1_700_000_000,
      modification_date: 1_710_000_000,
      group_only_greetings: ['又有客人。'],
    }),
    name: 'Mei',
    greetings: ['你来了。'],
    sent: [],
    never: ['茶馆里用。'],
  },
  {
    what: 'a lorebook of V3, with patterns and decorators',
    whole: v3({
      name: 'Tam',
      description: 'A drover.',
      first_mes: 'Gate.',
      character_book: {
        extensions: {},
        entries: [
          entry(['/sheep|ewes?/i'], 'The flock is on the hill.', { use_regex: true }),
          entry(['dog'], '@@depth 1\n@@role assistant\nThe dog is called Fly.'),
          entry(['crow'], '@@dont_activate\nCrows are unlucky.'),
          entry(['hill'], '@@unheard_of 3\nThe hill is bare.', { insertion_order: 5 }),
        ],
      },
    }),
    name: 'Tam',
    greetings: ['Gate.'],
    said: 'Do EWES fear a dog or a crow on the hill?',
    sent: ['The flock is on the hill.', 'The dog is called Fly.', 'The hill is bare.'],
    never: ['Crows are unlucky.', '@@'],
  },
  {
    what: 'every macro that the third version names, and fields that nobody knows',
    whole: v3({
      name: 'Pip',
      description:
        '{{char}} throws {{roll:d6}} for {{random:one,one}} and {{pick:two,two}}.{{// not for you}}',
      scenario: '{{reverse:tops}} {{hidden_key:x}}{{comment: nor this}}',
      first_mes: 'Throw, {{user}}.',
      theirs: { kept: [1, 'two', null] },
      extensions: {},
    }),
    name: 'Pip',
    greetings: ['Throw, {{user}}.'],
    sent: ['for one and two.', 'spot'],
    never: ['not for you', 'nor this', '{{'],
  },
]

function entry(keys: readonly string[], content: string, fields: JsonObject = {}): JsonObject {
  return { keys, content, enabled: true, insertion_order: 100, use_regex: false, extensions: {}, ...fields }
}

/*
 * Group chats after SillyTavern's own format (`public/scripts/group-chats.js`, `src/endpoints/groups.js`): what lies in
 * `groups/NAME.json`, and the lines of `group chats/NAME.jsonl`. Written for these tests; one of each of its features.
 */

type JsonObject = Readonly<Record<string, unknown>>

export interface GroupChatExample {
  readonly what: string
  /** Null where only the chat came. */
  readonly group: JsonObject | null
  readonly lines: readonly JsonObject[]
}

const AT = 'March 3, 2025 8:15pm'
const HEADER = { user_name: 'unused', character_name: 'unused' }

/** The definition of a group as SillyTavern creates one. */
const group = (members: readonly string[], fields: JsonObject = {}): JsonObject => ({
  id: '1741032900000',
  name: 'The ferry',
  members,
  avatar_url: 'img/five.png',
  allow_self_responses: false,
  activation_strategy: 0,
  generation_mode: 0,
  disabled_members: [],
  chat_metadata: {},
  fav: false,
  chat_id: '2025-03-03@20h15m00s',
  chats: ['2025-03-03@20h15m00s'],
  auto_mode_delay: 5,
  generation_mode_join_prefix: '',
  generation_mode_join_suffix: '',
  ...fields,
})

/** A member's line. */
const said = (name: string, mes: string, fields: JsonObject = {}): JsonObject => ({
  name,
  is_user: false,
  is_system: false,
  send_date: AT,
  mes,
  original_avatar: `${name}.png`,
  force_avatar: `/thumbnail?type=avatar&file=${encodeURIComponent(`${name}.png`)}`,
  extra: { api: 'koboldcpp', model: 'tiny', gen_id: 1741032900001 },
  ...fields,
})

const asked = (mes: string, fields: JsonObject = {}): JsonObject => ({
  name: 'Mira',
  is_user: true,
  is_system: false,
  send_date: AT,
  mes,
  extra: {},
  ...fields,
})

const withMetadata = (chat_metadata: JsonObject): JsonObject => ({ ...HEADER, chat_metadata })

export const groupChats: readonly GroupChatExample[] = [
  {
    what: 'two who answer when they are named, with swipes',
    group: group(['Alice.png', 'Orla.png']),
    lines: [
      withMetadata({ integrity: 'a1' }),
      said('Alice', 'Curiouser.'),
      said('Orla', 'Mind the stairs.'),
      asked('Orla, is it lit?'),
      said('Orla', 'It is.', {
        swipe_id: 1,
        swipes: ['It was.', 'It is.'],
        swipe_info: [
          { send_date: AT, extra: { gen_id: 1 } },
          { send_date: AT, extra: { gen_id: 2 } },
        ],
      }),
    ],
  },
  {
    what: 'the oldest form, without a header and without files of cards',
    group: null,
    lines: [
      { name: 'Alice', is_user: false, is_name: true, is_group: true, send_date: AT, mes: 'Curiouser.' },
      { name: 'Orla', is_user: false, is_name: true, send_date: AT, mes: 'Mind the stairs.' },
      { name: 'Mira', is_user: true, is_name: true, send_date: AT, mes: 'Hello both.' },
    ],
  },
  {
    what: 'everybody in turn but one who is muted, and files called otherwise than their characters',
    group: group(['Old Tom2.png', 'alice_v3.final.png', 'Orla.png'], {
      activation_strategy: 1,
      disabled_members: ['Orla.png'],
    }),
    lines: [
      withMetadata({}),
      said('Old Tom', 'Evening.', { original_avatar: 'Old Tom2.png' }),
      said('Alice', 'Good evening.', { original_avatar: 'alice_v3.final.png' }),
      asked('Evening.'),
    ],
  },
  {
    what: 'by hand, with a scene and a note of its own',
    group: group(['Alice.png', 'Orla.png'], { activation_strategy: 2 }),
    lines: [
      withMetadata({
        scenario: 'The lighthouse, {{user}} at the door.',
        note_prompt: 'It rains.',
        note_depth: 2,
        note_interval: 1,
        note_position: 1,
      }),
      said('Orla', 'Who is there?'),
      asked('I am.'),
      said('Alice', 'So am I.'),
    ],
  },
  {
    what: 'one at a time, who may answer themselves, with a narrator and a note that is not sent',
    group: group(['Alice.png', 'Orla.png', 'Bram.png'], {
      activation_strategy: 3,
      allow_self_responses: true,
    }),
    lines: [
      withMetadata({ tainted: true }),
      said('Alice', 'Well?'),
      {
        name: 'Narrator',
        is_user: false,
        is_system: false,
        send_date: AT,
        mes: 'A door bangs.',
        extra: { type: 'narrator' },
      },
      {
        name: 'Note',
        is_user: false,
        is_system: true,
        send_date: AT,
        mes: 'Out of the scene.',
        extra: { type: 'comment' },
      },
      said('Bram', 'It was the wind.'),
    ],
  },
  {
    what: 'joined cards, a delay, and whatever else a newer version keeps',
    group: group(['Alice.png', 'Orla.png'], {
      generation_mode: 2,
      generation_mode_join_prefix: '<{{char}} <FIELDNAME>>',
      generation_mode_join_suffix: '</end>',
      auto_mode_delay: 30,
      fav: true,
      hideMutedSprites: true,
      date_last_chat: 1741032999999,
      x_newer: { deep: [1, null, 'two'] },
    }),
    lines: [withMetadata({ variables: { lamp: '1' } }), said('Alice', 'Hm.'), said('Orla', 'Hm?')],
  },
  {
    what: 'ten, of whom eight find room',
    group: group('ABCDEFGHIJ'.split('').map((letter) => `Crew ${letter}.png`)),
    lines: [
      withMetadata({}),
      ...'ABCDEFGHIJ'.split('').map((letter) => said(`Crew ${letter}`, `Aye, says ${letter}.`)),
    ],
  },
  {
    what: 'one who never spoke, and one who has left',
    group: group(['Alice.png', 'Silent Sam.png']),
    lines: [withMetadata({}), said('Alice', 'And you?'), said('Gone Girl', 'I go.'), asked('Stay.')],
  },
  {
    what: 'names in other scripts, and what no file may have in its name',
    group: group(['爱丽丝.png', 'Ólafur (2).webp']),
    lines: [
      withMetadata({}),
      said('爱丽丝', '越来越奇怪了。'),
      said('Ólafur', 'Jæja.', {
        original_avatar: 'Ólafur (2).webp',
        force_avatar: '/thumbnail?type=avatar&file=%C3%93lafur%20(2).webp',
      }),
      asked('Who is "they"?', { force_avatar: 'User Avatars/mira.png' }),
    ],
  },
  {
    what: 'a branch of a longer one, among several chats, with bookmarks and reasoning',
    group: group(['Alice.png', 'Orla.png'], {
      chat_id: 'Branch #2 - 2025-03-04',
      chats: ['2025-03-03@20h15m00s', 'Branch #2 - 2025-03-04'],
      past_metadata: { '2025-03-03@20h15m00s': { note_prompt: 'Old.' } },
    }),
    lines: [
      withMetadata({ main_chat: '2025-03-03@20h15m00s' }),
      said('Alice', 'Again?', {
        extra: { gen_id: 7, bookmark_link: 'Branch #1', reasoning: 'She asks.', reasoning_duration: 12 },
      }),
      asked('Again.'),
    ],
  },
]

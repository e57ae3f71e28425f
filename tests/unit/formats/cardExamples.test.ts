import { describe, expect, test } from 'vitest'

import { readDataset } from '../../../src/formats/dataset.ts'

/** The dialogues of a card's examples as `speaker: text`, and why lines were left out. */
function scenes(mes_example: string, card = {}) {
  const reading = readDataset(JSON.stringify({ name: 'Orla Quay', mes_example, ...card }), 'orla.json')
  return {
    dialogues: reading.dialogues.map(({ role, turns }) => [
      role,
      ...turns.map(({ speaker, text }) => `${speaker}: ${text}`),
    ]),
    rejected: reading.rejected.map(({ reason }) => reason),
  }
}

const LAMP = ['Orla Quay', 'user: Is the lamp lit?', 'role: It is never out.']
const WHO = ['Orla Quay', 'user: Who are you?', 'role: Orla.']
const BOTH = { dialogues: [LAMP, WHO], rejected: [] }

describe('the examples of a card', () => {
  test.each([
    [
      'as the specification has them',
      '<START>\n{{user}}: Is the lamp lit?\n{{char}}: It is never out.\n<START>\n{{user}}: Who are you?\n{{char}}: Orla.',
    ],
    [
      'without a space after the colon',
      '<START>\n{{user}}:Is the lamp lit?\n{{char}}:It is never out.\n<START>\n{{user}}:Who are you?\n{{char}}:Orla.',
    ],
    [
      'with the start within a line',
      '<START> {{user}}: Is the lamp lit?\n{{char}}: It is never out. <start> {{user}}: Who are you?\n{{char}}: Orla.',
    ],
    [
      'with spaces and any case',
      '{{ User }} : Is the lamp lit?\r\n{{Char}}： It is never out.\r\n---\r\n<user>: Who are you?\r\n<BOT>: Orla.',
    ],
    [
      'by names',
      '<START>\nYou: Is the lamp lit?\nOrla: It is never out.\n<START>\nAnon: Who are you?\nOrla Quay: Orla.',
    ],
    [
      'with marks around the names',
      '**{{user}}:** Is the lamp lit?\n#{{char}}: It is never out.\n***\n[{{user}}]: Who are you?\n**Orla** (softly): Orla.',
    ],
    [
      'of another program',
      'END_OF_DIALOG\nUser1: Is the lamp lit?\n{{char}}: It is never out.\nEND_OF_DIALOG\nUser 2: Who are you?\n{{char}}: Orla.',
    ],
    [
      'of the character under another name',
      '<START>\n{{user}}: Is the lamp lit?\nSelma: It is never out.\n<START>\n{{user}}: Who are you?\nSelma: Orla.',
    ],
  ])('%s', (_, text) => {
    expect(scenes(text)).toEqual(BOTH)
  })

  test('with numbered visitors in one scene', () => {
    const text =
      '{{random_user_1}}: Is the lamp lit?\n{{char}}: It is never out.\n{{random_user_2}}: Who are you?\n{{char}}: Orla.'
    expect(scenes(text)).toEqual({ dialogues: [[...LAMP, ...WHO.slice(1)]], rejected: [] })
  })

  test('of several people are said to the character under their names', () => {
    const text = 'Bram: We drown.\n{{char}}: Not today.\nBram: Then when?\n{{user}}: Quiet.\n{{char}}: Hush.'
    expect(scenes(text).dialogues).toEqual([
      [
        'Orla Quay',
        'user: Bram: We drown.',
        'role: Not today.',
        'user: Bram: Then when?\nQuiet.',
        'role: Hush.',
      ],
    ])
  })

  test('keep a word before a colon, and lines that nobody is named before, with what was said', () => {
    const text = '{{user}}: Why?\n{{char}}: Listen: the sea.\nRemember: it waits.\n*She turns.*'
    expect(scenes(text).dialogues).toEqual([
      ['Orla Quay', 'user: Why?', 'role: Listen: the sea.\nRemember: it waits.\n*She turns.*'],
    ])
  })

  test('have their macros filled, a nickname too', () => {
    const text = '{{user}}: Hm?\nOr: {{char}} and {{random:you,you}}, {{// not}}{{user}}. {{other}}'
    expect(scenes(text, { nickname: 'Or' }).dialogues).toEqual([
      ['Orla Quay', 'user: Hm?', 'role: Orla Quay and you, you. {{other}}'],
    ])
  })

  test('that begin with a narration lose it, and say so', () => {
    const { dialogues, rejected } = scenes(
      '<START>\n*A storm.*\n{{user}}: Is the lamp lit?\n{{char}}: It is never out.',
    )
    expect(dialogues).toEqual([LAMP])
    expect(rejected).toEqual(['nobody is named before a colon'])
  })
})

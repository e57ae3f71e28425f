import { describe, expect, test } from 'vitest'

import { noteFields, noteOf } from '../../../src/storage/chatNote.ts'

describe('the note of a chat', () => {
  test.each([
    [null, null],
    ['{}', null],
    ['no JSON', null],
    ['{"note_prompt":"  "}', null],
    ['{"note_prompt":"Rain.","note_interval":0}', null],
    ['{"note_prompt":"Rain."}', { text: 'Rain.', depth: 4, every: 1 }],
    ['{"note_prompt":"Rain.","note_depth":0,"note_interval":3}', { text: 'Rain.', depth: 0, every: 3 }],
    ['{"note_prompt":"Rain.","note_depth":"x","note_interval":-1}', { text: 'Rain.', depth: 4, every: 1 }],
  ])('of %s is %j', (metadata, note) => {
    expect(noteOf(metadata)).toEqual(note)
  })

  test('goes out as SillyTavern has it, where it is another than came in', () => {
    const came = '{"note_prompt":"Rain.","x":1}'
    const note = { text: 'Sun.', depth: 2, every: 3 }
    expect(noteFields(noteOf(came), came)).toEqual({})
    expect(noteFields(null, null)).toEqual({})
    expect(noteFields(null, came)).toEqual({ note_prompt: '' })
    const written = noteFields(note, came)
    expect(noteOf(JSON.stringify(written))).toEqual(note)
    expect(written).toMatchObject({ note_position: 1 })
  })
})

import { expect, test } from 'vitest'

import { defaultSettings, readSettings } from '../../../src/storage/settings.ts'

test('settings come back as they were kept', () => {
  const settings = {
    ...defaultSettings,
    theme: 'dark',
    language: 'zh-Hans',
    userName: 'Ann',
    userDescription: 'A guest.',
    personas: [{ id: 'p', name: 'Brack', description: '' }],
    persona: 'p',
    favourites: ['Alice'],
    castOrder: 'name',
    mood: 'wild',
    stops: ['\nAnna:', '***'],
    voices: { Alice: { voice: 'urn:en', pitch: 1.2, pace: 0.9 } },
    overrides: { minP: 0.2 },
    lockedSeed: 0,
    path: 'wasm',
    rates: { 'tiny on a card': { wasm: { prefill: 300, decode: 50.5 } } },
  }
  expect(readSettings(structuredClone(settings))).toEqual(settings)
})

test.each([
  [undefined],
  ['dark'],
  [null],
  [[]],
  [
    {
      theme: 'pink',
      language: 'fr',
      userName: ' ',
      mood: 7,
      overrides: 'x',
      lockedSeed: '7',
      maxTokens: Number.NaN,
    },
  ],
])('settings that cannot be read are the defaults: %j', (stored) => {
  expect(readSettings(stored)).toEqual(defaultSettings)
})

test('a rate that is not one is left out, so that it is measured again', () => {
  const good = { prefill: 1, decode: 2 }
  const rates = { a: { webgpu: good, wasm: { prefill: 0, decode: 1 } }, b: 7, c: { wasm: { prefill: 3 } } }
  expect(readSettings({ rates, path: 'fast' })).toMatchObject({
    path: 'auto',
    rates: { a: { webgpu: good }, b: {}, c: {} },
  })
})

test('a persona that is not whole is left out', () => {
  const whole = { id: 'p', name: 'Brack', description: 'A ferryman.' }
  const personas = [whole, null, { ...whole, name: 7 }, 'Brack']
  expect(readSettings({ personas, persona: 7 })).toMatchObject({ personas: [whole], persona: null })
  expect(readSettings({ personas: whole }).personas).toEqual([])
})

test('a voice that is not whole is left out, and one too high is brought down', () => {
  const voices = {
    a: { voice: 7, pitch: 9, pace: 0 },
    b: { voice: 'urn:en', pitch: 'high', pace: 1 },
    c: null,
  }
  expect(readSettings({ voices }).voices).toEqual({ a: { voice: null, pitch: 2, pace: 0.5 } })
  expect(readSettings({ voices: 'loud' }).voices).toEqual({})
})

test('a list of strings that end answers has strings, and may be empty', () => {
  expect(readSettings({ stops: [] }).stops).toEqual([])
  expect(readSettings({ stops: ['a', '', 7] }).stops).toEqual(['a'])
  expect(readSettings({ stops: 'a' }).stops).toEqual(defaultSettings.stops)
})

test('an override that is not a number is left out', () => {
  expect(
    readSettings({ overrides: { minP: 0.1, topK: 'many', topP: Number.POSITIVE_INFINITY } }).overrides,
  ).toEqual({ minP: 0.1 })
})

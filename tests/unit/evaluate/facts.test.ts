import { describe, expect, test } from 'vitest'

import { judgeFact, readFacts, summariseFacts } from '../../../src/evaluate/facts.ts'
import type { FactAnswer } from '../../../src/evaluate/facts.ts'
import { holdsPhrase, stemsOf } from '../../../src/evaluate/phrases.ts'

const parrot = {
  id: 'parrot',
  fact: 'His parrot is called Captain Flint.',
  ask: ['By what name does your parrot go?', 'Your parrot has a name, hasn’t it?'],
  accept: ['flint'],
  wrong: ['polly'],
}

describe('phrases', () => {
  test('begin with a word, whatever its end, case, accents and marks', () => {
    expect(holdsPhrase('Cap’n FLINT’s the name.', ['flint'])).toBe(true)
    expect(holdsPhrase('She makes daisies.', ['dais'])).toBe(true)
    expect(holdsPhrase('A skinflint.', ['flint'])).toBe(false)
    expect(holdsPhrase('Pero Pérez, the priest', ['perez'])).toBe(true)
    expect(holdsPhrase('It was fifty-five years ago', ['fifty five'])).toBe(true)
    expect(holdsPhrase('', ['flint'])).toBe(false)
    expect(holdsPhrase('anything', [])).toBe(false)
  })

  test('have stems that survive an ending', () => {
    expect([...stemsOf('Where were the parrots called?')]).toEqual(['parro', 'call'])
  })
})

describe('facts', () => {
  test('are read whole or refused with what they lack', () => {
    expect(readFacts([parrot], 'facts.json')).toEqual([parrot])
    const { wrong, ...without } = parrot
    expect(wrong).toEqual(['polly'])
    expect(readFacts([without], 'facts.json')).toEqual([{ ...parrot, wrong: [] }])
    const broken = [{}, null, { ...parrot, ask: [] }, { ...parrot, accept: 'flint' }, { ...parrot, id: 1 }]
    for (const row of broken)
      expect(() => readFacts([parrot, row], 'facts.json')).toThrow(/facts\.json: fact 2 is not whole/)
    expect(() => readFacts({}, 'facts.json')).toThrow(/no list of facts/)
  })

  test('are answered right with a word of theirs and none against them', () => {
    expect(judgeFact('My parrot is called Captain Flint, matey.', parrot)).toBe('right')
    expect(judgeFact('Polly, and then Flint.', parrot)).toBe('contradicted')
    expect(judgeFact('I have a parrot.', parrot)).toBe('missed')
  })

  test('are summed up over all and by role', () => {
    const answers = (['right', 'missed', 'contradicted', 'right'] as const).map(
      (verdict, index): FactAnswer => ({
        role: index < 3 ? 'A' : 'B',
        id: 'parrot',
        question: 'Who?',
        answer: 'He.',
        verdict,
      }),
    )
    expect(summariseFacts(answers)).toMatchObject({
      accuracy: 0.5,
      contradicted: 0.25,
      asked: 4,
      byRole: [
        { role: 'A', accuracy: 1 / 3, asked: 3 },
        { role: 'B', accuracy: 1, asked: 1 },
      ],
    })
  })
})

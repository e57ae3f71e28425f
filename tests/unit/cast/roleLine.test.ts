import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { roleLine } from '../../../src/cast/roleLine.ts'

const NOTHING = { systemPrompt: '', description: '', personality: '' }

describe('the line of a role without an adapter', () => {
  test('says who, of what manner, and no more', () => {
    const holmes = {
      ...NOTHING,
      description:
        '{{char}} is the consulting detective of Baker Street, London: tall and lean. He reads strangers.',
      personality: 'Exact, and dry rather than warm. Asks for the small fact.',
    }
    expect(roleLine(holmes)).toBe(
      'You are {{char}}, the consulting detective of Baker Street, London. Exact, and dry rather than warm. Speak only as {{char}}.',
    )
  })

  test('takes a description that does not begin with the name, and titles that end with a point', () => {
    expect(roleLine({ ...NOTHING, description: 'An old friend of Dr. Watson from St. Albans! Limps.' })).toBe(
      'You are {{char}}. An old friend of Dr. Watson from St. Albans. Speak only as {{char}}.',
    )
  })

  test('is the card’s own system prompt where it has one, and nothing where the card says nothing', () => {
    expect(roleLine({ ...NOTHING, systemPrompt: ' Be kind. ', description: 'x' })).toBe('Be kind.')
    expect(roleLine(NOTHING)).toBeNull()
  })

  test('ends a long clause at a comma, else between words', () => {
    const words = Array.from({ length: 80 }, () => 'brave').join(' ')
    const long = roleLine({ ...NOTHING, description: `{{char}} is a knight, lean and dry, ${words}.` })
    expect(long).toBe('You are {{char}}, a knight, lean and dry. Speak only as {{char}}.')
    expect(roleLine({ ...NOTHING, description: words })).toMatch(/(?: brave){39}\. Speak only as/)
  })

  test('stays short for every card of the cast', () => {
    const folder = resolve(import.meta.dirname, '../../../public/cast')
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const path = resolve(folder, file)
      const cards = JSON.parse(readFileSync(path, 'utf8')) as Record<
        string,
        { card: { description: string; personality: string } }
      >
      for (const { card } of Object.values(cards)) {
        const line = roleLine({ ...NOTHING, ...card })
        expect(line).toMatch(/^You are \{\{char\}\}[,.] .+\. Speak only as \{\{char\}\}\.$/)
        expect(line!.length).toBeLessThan(400)
      }
    }
  })
})

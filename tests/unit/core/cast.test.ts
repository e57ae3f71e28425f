import { readFileSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { contrastOf } from '../../../src/core/colour.ts'

interface Entry {
  readonly portrait: string
  readonly accent: string
  readonly accentLight: string
  readonly accentDark: string
  readonly line: string
  readonly starters: readonly string[]
  readonly card: Readonly<Record<string, unknown>>
}

const folder = resolve(import.meta.dirname, '../../../public')
const cards = JSON.parse(readFileSync(`${folder}/cast/cards.json`, 'utf8')) as Record<string, Entry>
const roles = Object.keys(cards)

describe('the starter cast', () => {
  it('is the roles of the starter pack', () => {
    expect(roles).toEqual([
      'Sherlock Holmes',
      'Abraham Lincoln',
      'Caesar',
      'D_Artagnan',
      'Queen Elizabeth I',
      'Benjamin Button',
    ])
  })

  it.each(roles)('%s has accents that can be read on both papers', (role) => {
    const { accent, accentLight, accentDark } = cards[role]!
    expect(accent).toMatch(/^#[0-9a-f]{6}$/)
    expect(contrastOf(accentLight, '#faf8f4')).toBeGreaterThanOrEqual(4.5)
    expect(contrastOf(accentDark, '#171512')).toBeGreaterThanOrEqual(4.5)
  })

  it.each(roles)('%s has a line, three openings and a complete card', (role) => {
    const { card, line, starters } = cards[role]!
    expect(line.length).toBeLessThanOrEqual(70)
    expect(starters).toHaveLength(3)
    for (const key of ['name', 'description', 'personality', 'scenario', 'first_mes', 'creator_notes'])
      expect(card[key]).not.toBe('')
    expect(String(card['mes_example']).split('<START>\n{{user}}: ').length - 1).toBeGreaterThanOrEqual(2)
    expect(card['alternate_greetings']).toHaveLength(2)
    expect(card).toMatchObject({
      system_prompt: '',
      post_history_instructions: '',
      group_only_greetings: [],
      extensions: {},
    })
  })

  it('has a small, flat drawing for every role and none besides', () => {
    const drawn = roles.map((role) => cards[role]!.portrait.replace('cast/', ''))
    expect(
      readdirSync(`${folder}/cast`)
        .filter((name) => name.endsWith('.svg'))
        .toSorted(),
    ).toEqual(drawn.toSorted())
    for (const name of drawn) {
      const svg = readFileSync(`${folder}/cast/${name}`, 'utf8')
      expect(svg.length).toBeLessThanOrEqual(16 * 1024)
      expect(svg).toContain('viewBox="0 0 320 400"')
      expect(svg).not.toMatch(/Gradient|<filter|<text|<style|<image|href|url\((?!#)/)
      expect(new Set(svg.match(/#[0-9a-f]{6}/g)).size).toBeLessThanOrEqual(5)
    }
  })
})

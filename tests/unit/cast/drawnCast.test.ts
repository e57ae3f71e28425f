import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contrastOf } from '../../../src/cast/portrait/colour.ts'

interface Entry {
  readonly portrait: string
  readonly accent: string
  readonly accentLight: string
  readonly accentDark: string
  readonly field: string
  readonly line: string
  readonly starters: readonly string[]
  readonly card: Readonly<Record<string, unknown>>
}

const folder = resolve(import.meta.dirname, '../../../public')
const entriesOf = (name: string) =>
  JSON.parse(readFileSync(`${folder}/cast/${name}`, 'utf8')) as Record<string, Entry>
const shapeOf = ({ card, ...entry }: Entry) => [...Object.keys(entry), ...Object.keys(card)].toSorted()
const cards = entriesOf('cards.json')
const roles = Object.keys(cards)

describe('the drawn cast', () => {
  test('is who has lines to learn from', () => {
    const lines = resolve(folder, '../data/cast')
    const voices = JSON.parse(readFileSync(`${lines}/boundaries.json`, 'utf8')) as Record<
      string,
      { slug: string }
    >
    expect(Object.keys(voices).toSorted()).toEqual(roles.toSorted())
    for (const [role, { slug }] of Object.entries(voices)) {
      expect({ role, hasLines: existsSync(`${lines}/${slug}/own.jsonl`) }).toEqual({ role, hasLines: true })
      expect(cards[role]!.portrait).toContain(slug)
    }
  })

  test('has entries of one shape', () => {
    const shape = shapeOf(cards['Sherlock Holmes']!)
    for (const role of roles) expect({ role, shape: shapeOf(cards[role]!) }).toEqual({ role, shape })
  })

  test.each(roles)('%s has accents that can be read on both papers', (role) => {
    const { accent, accentLight, accentDark, field } = cards[role]!
    expect(field).toMatch(/^#[0-9a-f]{6}$/)
    expect(accent).toMatch(/^#[0-9a-f]{6}$/)
    expect(contrastOf(accentLight, '#faf8f4')).toBeGreaterThanOrEqual(4.5)
    expect(contrastOf(accentDark, '#171512')).toBeGreaterThanOrEqual(4.5)
  })

  test.each(roles)('%s has a line, three openings and a complete card', (role) => {
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

  test('has a small, flat drawing for every role and none besides', () => {
    const drawn = roles.map((role) => ({
      name: cards[role]!.portrait.replace('cast/', ''),
      ink: cards[role]!.accent,
      field: cards[role]!.field,
    }))
    expect(
      readdirSync(`${folder}/cast`)
        .filter((name) => name.endsWith('.svg'))
        .toSorted(),
    ).toEqual(drawn.map(({ name }) => name).toSorted())
    for (const { name, ink, field } of drawn) {
      const svg = readFileSync(`${folder}/cast/${name}`, 'utf8')
      expect(svg.length).toBeLessThanOrEqual(16 * 1024)
      expect(svg).toContain(`<rect width="320" height="400" fill="${field}"/>`)
      expect(svg).toContain('viewBox="0 0 320 400"')
      expect(svg).toContain(`fill="${ink}"`)
      expect(svg).not.toMatch(/Gradient|<filter|<text|<style|<image|href|url\((?!#)/)
      expect(new Set(svg.match(/#[0-9a-f]{6}/g)).size).toBeLessThanOrEqual(5)
    }
  })
})

import { expect, test } from 'vitest'

import guided from '../../../scale/experiments/blind/guided.json' with { type: 'json' }
import distilled from '../../../scale/experiments/distilled.json' with { type: 'json' }
import forms from '../../../scale/experiments/forms.json' with { type: 'json' }
import sizes from '../../../scale/experiments/shapes.json' with { type: 'json' }
import { lessonRecipe } from '../../../src/cast/cardLessons.ts'
import { castRecipe } from '../../../src/cast/castRecipe.ts'
import { RANDOM_SHAPES } from '../../../src/bench/randomModel.ts'
import { textOf } from '../../support/documents.ts'

interface Form {
  readonly failed?: string
  readonly nmse?: number | null
  readonly nmseUnrounded?: number | null
  readonly differsAt?: number | null
  readonly isSameBackbone?: boolean | null
  readonly answer?: string | null
  readonly sameLetters?: number | null
}

const notes = textOf('scale/README.md')

test('what is said of SmolLM2’s forms is what was measured', () => {
  const all: readonly Form[] = Object.values(forms)
  const compared = all.filter(({ nmse }) => typeof nmse === 'number')
  for (const { nmse, nmseUnrounded, differsAt, isSameBackbone } of compared) {
    expect(nmseUnrounded ?? nmse).toBeLessThan(2e-8)
    expect(isSameBackbone).toBe(true)
    expect(nmseUnrounded ? null : differsAt).toBeNull()
  }
  const rounded = compared.filter(({ nmseUnrounded }) => nmseUnrounded)
  const most = Math.max(...rounded.map(({ nmse }) => nmse!)).toFixed(2)
  expect(notes).toContain(`leads at most ${most} of the squared logits away`)
  const played = all.filter(({ answer }) => typeof answer === 'string')
  const same = played.filter(({ sameLetters }) => sameLetters === null)
  // At least eight are asked for.
  expect(played.length).toBeGreaterThanOrEqual(8)
  expect(notes).toContain(`Of ${compared.length} forms the logits were compared`)
  expect(notes).toContain(`On ${played.length} the pack was played: on ${same.length} it says`)
  expect(notes).toContain(`"${forms.float32.answer}"`)
  expect(new Set(same.map(({ answer }) => answer))).toEqual(new Set([forms.float32.answer]))
})

test('what is said of models of real sizes is what was measured', () => {
  const rows = Object.values(sizes).map(({ rows: [row] }) => row!)
  for (const { scriptBytes, bytesOverFormula } of rows) {
    expect(scriptBytes).toBeLessThan(300e6)
    expect(bytesOverFormula).toBeLessThan(1.1)
  }
  const most = (of: (row: (typeof rows)[number]) => number): number => Math.max(...rows.map((row) => of(row)))
  const readme = textOf('README.md')
  const largest = Math.round(most(({ weightBytes }) => weightBytes) * 1e-6)
  expect(readme).toContain(`(${Object.keys(sizes).join(', ')}, up to ${largest} MB in 4 bits)`)
  const memory = Math.round(most(({ scriptBytes }) => scriptBytes) * 1e-6)
  expect(readme).toContain(`memory grows by at most ${memory} MB`)
  const over = most(({ bytesOverFormula }) => bytesOverFormula).toFixed(2)
  expect(readme).toContain(`is ${over} of what the page says`)
})

test('the sizes are those of the random models that a card is measured with', () => {
  const known: Readonly<Record<string, unknown>> = RANDOM_SHAPES
  const written = Object.entries(sizes).map(([name, { shape }]) => {
    const { layers, hidden, heads, kv_heads: kvHeads, head_dim: headDim, ffn, vocabulary } = shape
    return [name, { layers, hidden, heads, kvHeads, headDim, ffn, vocabulary }]
  })
  expect(written).toEqual(Object.keys(sizes).map((name) => [name, known[name]]))
})

test('what was learnt of cards alone was learnt by the recipe of “Teach”', () => {
  for (const { lessons, learnt, config, loss, lastLoss } of Object.values(distilled)) {
    // SmolLM2's numbers.
    expect(config).toEqual({ ...castRecipe(134_515_008), ...lessonRecipe(lessons) })
    expect(learnt).toBeGreaterThan(0.8 * lessons)
    // What is said of it: learnt by heart, and worse than nothing learnt.
    expect(lastLoss).toBeLessThan(0.1)
    expect(loss.adapter).toBeGreaterThan(loss.line)
    expect(loss.line).toBeGreaterThan(loss.card)
  }
})

test('what is said of words that guidance must not lead to is what the readers said', () => {
  const { asked, items } = guided
  const [bounded, free] = items[0]!.answers.map(({ version }) => version)
  const readers = [0, 1]
  const chosen = (version?: string): string =>
    readers.map((reader) => items.filter(({ better }) => better[reader] === version).length).join(' and ')
  const wrong = (index: number): string =>
    readers
      .map((reader) => items.filter(({ answers }) => answers[index]!.faults[reader]).length)
      .join(' and ')
  expect(textOf('README.md')).toContain(
    `${items.length} of these ${asked} answers are other ones, of which the readers would rather have got the new in ` +
      `${chosen(bounded)}, the old in ${chosen(free)}.`,
  )
  expect(notes).toContain(`the bounded answer in ${chosen(bounded)} and the other in ${chosen(free)};`)
  expect(notes).toContain(`in ${wrong(0)} of the bounded ones, in ${wrong(1)} of the others`)
})

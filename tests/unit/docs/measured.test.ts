import { expect, test } from 'vitest'

import forms from '../../../scale/experiments/forms.json' with { type: 'json' }
import { textOf } from '../../support/documents.ts'

interface Form {
  readonly failed?: string
  readonly nmse?: number | null
  readonly differsAt?: number | null
  readonly isSameBackbone?: boolean | null
  readonly answer?: string | null
  readonly sameLetters?: number | null
}

const notes = textOf('scale/README.md')

test('what is said of SmolLM2’s forms is what was measured', () => {
  const all: readonly Form[] = Object.values(forms)
  const compared = all.filter(({ nmse }) => typeof nmse === 'number')
  for (const { nmse, differsAt, isSameBackbone } of compared) {
    expect(nmse).toBeLessThan(2e-8)
    expect({ differsAt, isSameBackbone }).toEqual({ differsAt: null, isSameBackbone: true })
  }
  const played = all.filter(({ answer }) => typeof answer === 'string')
  const same = played.filter(({ sameLetters }) => sameLetters === null)
  // At least eight are asked for.
  expect(played.length).toBeGreaterThanOrEqual(8)
  expect(notes).toContain(`Of ${compared.length} forms the logits were compared`)
  expect(notes).toContain(`On ${played.length} the pack was played: on ${same.length} it says`)
  expect(notes).toContain(`"${forms.float32.answer}"`)
  expect(new Set(same.map(({ answer }) => answer))).toEqual(new Set([forms.float32.answer]))
})

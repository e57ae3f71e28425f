import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readDataset } from '../../../src/formats/dataset.ts'
import type { DatasetDialogue, DatasetReading } from '../../../src/formats/dataset/reading.ts'

/** A file as people have it, and what is read of it; the twin's tests expect the same. */
interface Case {
  readonly about: string
  readonly file: string
  readonly text: string
  readonly role?: string
  /** `line role (split): what the visitor says > *a reply* > (a reply that is not learnt)`. */
  readonly dialogues?: readonly string[]
  readonly rejected?: readonly string[]
  readonly notes?: readonly string[]
  readonly format?: string
  /** Of a file that is refused as a whole. */
  readonly refused?: string
}

const cases = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../fixtures/readings.json'), 'utf8'),
) as readonly Case[]

function brief({ line, role, split, turns }: DatasetDialogue): string {
  const said = turns.map(({ speaker, text, isLearnt }) => {
    if (speaker === 'user') return text
    return isLearnt === false ? `(${text})` : `*${text}*`
  })
  return `${line} ${role}${split ? ` (${split})` : ''}: ${said.join(' > ')}`
}

function read({ text, file, role }: Case): DatasetReading {
  return readDataset(text, file, role === undefined ? {} : { roleName: role })
}

test.each(cases.filter(({ refused }) => refused === undefined))('$about', (given) => {
  const { format, dialogues, rejected, notes } = read(given)
  expect({
    format,
    dialogues: dialogues.map(brief),
    rejected: rejected.map(({ line, reason }) => `${line} ${reason}`),
    notes,
  }).toEqual({
    format: given.format,
    dialogues: given.dialogues,
    rejected: given.rejected,
    notes: given.notes,
  })
})

test.each(cases.filter(({ refused }) => refused !== undefined))('$about', (given) => {
  expect(() => read(given)).toThrow(given.refused)
})

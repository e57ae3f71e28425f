import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { root } from '../../../tools/install.mjs'
import { countBarriers, documentOf, faultOf, readBarriers } from '../../../tools/mutants/barriers.mjs'
import { applyFault } from '../../../tools/mutants/verdict.mjs'
import { textOf } from '../../support/documents.ts'

const barriers = readBarriers()
const codeOf = (shader: string): string => readFileSync(join(root, 'shaders', `${shader}.wgsl`), 'utf8')

test('every barrier of every shader has its row, in their order', () => {
  const shaders = readdirSync(join(root, 'shaders')).filter((name) => name.endsWith('.wgsl'))
  const there = shaders.toSorted().flatMap((file) => {
    const shader = file.replace('.wgsl', '')
    return Array.from({ length: countBarriers(codeOf(shader)) }, (_, index) => `${shader} ${index + 1}`)
  })
  expect(there.length).toBeGreaterThan(0)
  expect(barriers.map(({ shader, barrier }) => `${shader} ${barrier}`)).toEqual(there)
})

test.each(barriers)('barrier $barrier of $shader', (row) => {
  const code = codeOf(row.shader)
  const without = applyFault(code, faultOf(row, code))
  // The faulty shader is the whole one, but for the one barrier.
  expect(countBarriers(without!)).toBe(countBarriers(code) - 1)
  expect(without!.length).toBe(code.length - 'workgroupBarrier();'.length)
  expect(row.keeps).toMatch(/^[A-Z].*\.$/)
  expect(row.test).toMatch(/^tests\/gpu\/.*\.test\.ts$/)
  expect(existsSync(join(root, row.test))).toBe(true)
  expect(['in order', 'scrambled']).toContain(row.lanes)
})

test('a barrier is left out where it stands, and no other', () => {
  const code = 'a();\nworkgroupBarrier();\nb();\nworkgroupBarrier();\nc();\n'
  const row = { shader: 'it', keeps: 'It.', test: 'tests/gpu/it.test.ts', lanes: 'in order' } as const
  const left = [1, 2].map((barrier) => applyFault(code, faultOf({ ...row, barrier }, code)))
  expect(left).toEqual([
    'a();\n\nb();\nworkgroupBarrier();\nc();\n',
    'a();\nworkgroupBarrier();\nb();\n\nc();\n',
  ])
})

test('docs/barriers.md is the table', () => {
  expect(textOf('docs/barriers.md')).toBe(documentOf(barriers))
})

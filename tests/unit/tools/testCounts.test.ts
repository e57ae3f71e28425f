import { expect, test } from 'vitest'

import { addChecks, addCounts, countLine, countTests } from '../../../tools/testCounts.mjs'

const results = (...states: string[]) => states.map((status) => ({ status }))

test('counts tests by their state', () => {
  const report = {
    testResults: [
      { status: 'passed', assertionResults: results('passed', 'passed', 'pending', 'todo') },
      { status: 'failed', assertionResults: results('failed', 'passed', 'skipped') },
    ],
  }
  expect(countTests(report, false)).toEqual({ passed: 3, failed: 1, skipped: 3 })
})

test('a file that fails before its tests is one failure', () => {
  const report = { testResults: [{ status: 'failed', assertionResults: [] }, { status: 'failed' }] }
  expect(countTests(report, false).failed).toBe(2)
})

test('a failed run without a failed test is one failure', () => {
  const report = { testResults: [{ status: 'passed', assertionResults: results('passed') }] }
  expect(countTests(report, false)).toEqual({ passed: 1, failed: 1, skipped: 0 })
})

test('a run that leaves no report is one failure', () => {
  expect(countTests(undefined, true)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('each check counts as a test, and the line says all', () => {
  const counts = addChecks({ passed: 3, failed: 0, skipped: 2 }, { format: true, lint: false, types: true })
  expect(countLine(counts)).toBe('5 passed, 1 failed, 2 skipped')
})

test('the runs of two programs are one', () => {
  const twin = { passed: 2, failed: 1, skipped: 1 }
  expect(addCounts({ passed: 3, failed: 0, skipped: 2 }, twin)).toEqual({ passed: 5, failed: 1, skipped: 3 })
})

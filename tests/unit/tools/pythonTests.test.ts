import { tmpdir } from 'node:os'

import { expect, test } from 'vitest'

import { countPython, findPython, runPythonTests } from '../../../tools/pythonTests.mjs'

const report = (counts: string) =>
  `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" ${counts} time="9.1"><testcase/>`

test('counts the tests of pytest’s report', () => {
  const mixed = report('errors="1" failures="2" skipped="9" tests="73"')
  expect(countPython(mixed, false)).toEqual({ passed: 61, failed: 3, skipped: 9 })
  const green = report('errors="0" failures="0" skipped="0" tests="5"')
  expect(countPython(green, true)).toEqual({ passed: 5, failed: 0, skipped: 0 })
})

test('a run that fails without a failed test, or leaves no report, is one failure', () => {
  const green = report('errors="0" failures="0" skipped="0" tests="5"')
  expect(countPython(green, false).failed).toBe(1)
  expect(countPython(undefined, true)).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('a Python that is not there, or lacks the packages, runs no tests and is counted as one skipped', () => {
  const env = { ...process.env, HYCORA_PYTHON: process.execPath }
  expect(findPython(env)).toBeUndefined()
  expect(findPython({ ...env, HYCORA_PYTHON: '/nowhere/python3' })).toBeUndefined()
  expect(runPythonTests('/nowhere', tmpdir(), env)).toEqual({ passed: 0, failed: 0, skipped: 1 })
})

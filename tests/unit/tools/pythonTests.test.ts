import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

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

test('a Python that is not there, or lacks the packages, runs no tests and is counted as one skipped', async () => {
  const env = { ...process.env, HYCORA_PYTHON: process.execPath }
  expect(findPython(env)).toBeUndefined()
  expect(findPython({ ...env, HYCORA_PYTHON: '/nowhere/python3' })).toBeUndefined()
  const { counts, output } = await runPythonTests('/nowhere', tmpdir(), env)
  expect(counts).toEqual({ passed: 0, failed: 0, skipped: 1 })
  expect(output).toContain('no Python with PyTorch')
})

test('what pytest says is kept, with the counts of its report, and it runs on one thread', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'hycora-twin-'))
  const python = join(scratch, 'python')
  const suite = report('errors="0" failures="1" skipped="0" tests="3"')
  const lines = [
    '#!/bin/sh',
    '[ "$1" = -c ] && exit 0',
    `for word; do case $word in --junitxml=*) printf '%s' '${suite}' > "\${word#--junitxml=}";; esac; done`,
    'echo "threads: $OMP_NUM_THREADS in $(basename "$PWD")"',
    'echo "one failed" >&2',
    'exit 1',
  ]
  try {
    await writeFile(python, lines.join('\n'))
    await chmod(python, 0o755)
    await mkdir(join(scratch, 'scale'))
    const { OMP_NUM_THREADS: _threads, ...rest } = process.env
    const { counts, output } = await runPythonTests(scratch, scratch, { ...rest, HYCORA_PYTHON: python })
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 0 })
    expect(output).toContain('threads: 1 in scale')
    expect(output).toContain('one failed')
  } finally {
    await rm(scratch, { recursive: true })
  }
})

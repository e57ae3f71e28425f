import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const source = join(root, 'data/cast')
let folder = ''

/** Runs the check on a copy of one character's lines, after `change` has been at them. */
function check(change: (lines: string[]) => string[]) {
  const lines = readFileSync(join(source, 'caesar.jsonl'), 'utf8').trimEnd().split('\n')
  writeFileSync(join(folder, 'caesar.jsonl'), `${change(lines).join('\n')}\n`)
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'tools/checkCast.mjs'), folder, '--role', 'Caesar'],
    { encoding: 'utf8' },
  )
  return { status, stdout, faults: stderr.split('\n').filter(Boolean) }
}

/** A row that says `reply` where it said something else. */
const saying = (line: string, reply: string) => {
  const row = JSON.parse(line) as { messages: { content: string }[] }
  row.messages[1]!.content = reply
  return JSON.stringify(row)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cast-'))
  for (const name of ['openings.json', 'boundaries.json'])
    copyFileSync(join(source, name), join(folder, name))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a character that keeps the rules passes, alone in its folder', () => {
  expect(check((lines) => lines)).toMatchObject({ status: 0, faults: [] })
})

test('each broken rule is one line that names file and line', () => {
  const { status, faults } = check((lines) => [
    lines[0]!.replace('"split":"train"', '"split":"test"'),
    saying(lines[1]!, 'You may lay to that, and Caesar feels the weight of it in the senate tonight.'),
    saying(lines[2]!, 'The bench was built for nine envoys who would not leave before supper, in Gaul.'),
    saying(lines[3]!, 'The bench was built for nine envoys who would not leave before dinner, in Gaul.'),
    '{',
    ...lines.slice(5),
  ])
  expect(status).toBe(1)
  for (const expected of [
    /^caesar\.jsonl:1: has split "test", expected "train"/,
    /^caesar\.jsonl:2: says "lay to", which is Long John Silver's/,
    /^caesar\.jsonl:2: uses the banned turn "the weight of"/,
    /^caesar\.jsonl:[34]: nearly repeats Caesar's/,
    /^caesar\.jsonl:5: is not JSON/,
    /^caesar\.jsonl: lacks the opening "name"/,
  ]) {
    expect(faults).toContainEqual(expect.stringMatching(expected))
  }
})

test.each([
  ['Wait. Count. March. Cross. Dine.', [5]],
  ['Wait. Count. *He lifts two fingers. A scribe leaves.* March! Cross, then "Dine." Caesar has dined.', [5]],
  ['Wait. Count. *He lifts two fingers. A scribe leaves.* March?! So did you... slowly... and so did I.', []],
  [
    'Mr. Hurst and Dr. J. P. Marsh... I name no St. Alban... asked "Who dares?" of nobody. One. Two. Three.',
    [],
  ],
])('sentences above four are counted as a reader counts them: %s', (reply, counts) => {
  const { faults } = check((lines) => [saying(lines[0]!, reply), ...lines.slice(1)])
  expect(faults.map((fault) => /^caesar\.jsonl:1: has a reply of (\d) sentences/.exec(fault)?.[1])).toEqual(
    counts.map(String),
  )
})

test('a held-out opening in training is found, whatever its letters', () => {
  const { faults } = check((lines) => [
    ...lines.slice(0, -1),
    lines
      .at(-1)!
      .replace(/"user","content":"[^"]*"/, '"user","content":"is there anything you REGRET"')
      .replace('"split":"test"', '"split":"train"'),
  ])
  expect(faults).toContainEqual(expect.stringMatching(/trains on "is there anything you REGRET"/))
})

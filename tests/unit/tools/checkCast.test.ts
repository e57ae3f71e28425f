import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../../..')
const source = join(root, 'data/cast')
let folder = ''

type Row = Record<string, unknown> & { q: string[]; messages: { content: string }[] }

/** Changes rows of one of Caesar's files, by their places from 0. */
function change(name: string, changes: Readonly<Record<number, (row: Row) => unknown>>): void {
  const path = join(folder, 'julius-caesar', name)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  for (const [at, edit] of Object.entries(changes)) {
    const row = edit(JSON.parse(lines[Number(at)]!) as Row)
    lines[Number(at)] = typeof row === 'string' ? row : JSON.stringify(row)
  }
  writeFileSync(path, `${lines.join('\n')}\n`)
}

/** Runs the check on the copy of Caesar's lines. */
function check() {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'tools/checkCast.mjs'), folder, '--role', 'Caesar'],
    { encoding: 'utf8' },
  )
  return { status, stdout, faults: stderr.split('\n').filter(Boolean) }
}

const saying = (text: string) => (row: Row) => {
  row.messages[1]!.content = text
  return row
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cast-'))
  for (const name of ['intents.json', 'further.json', 'boundaries.json'])
    copyFileSync(join(source, name), join(folder, name))
  cpSync(join(source, 'julius-caesar'), join(folder, 'julius-caesar'), { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a character that keeps the rules passes, alone in its folder', () => {
  expect(check()).toMatchObject({ status: 0, faults: [] })
})

test('each rule of a scene that is broken is one line that names file and line', () => {
  change('scenes.jsonl', {
    0: (row) => ({ ...row, split: 'test' }),
    1: saying('You may lay to that, and Caesar feels the weight of it in the senate tonight.'),
    2: saying('The bench was built for nine envoys who would not leave before supper, in Gaul.'),
    3: saying('The bench was built for nine envoys who would not leave before dinner, in Gaul.'),
    4: () => '{',
    5: (row) => ({ ...row, messages: row.messages.slice(0, 1) }),
  })
  const { status, faults } = check()
  expect(status).toBe(1)
  for (const expected of [
    /scenes\.jsonl:1: has split "test", expected "train"/,
    /scenes\.jsonl:2: says "lay to", which is Long John Silver's/,
    /scenes\.jsonl:2: uses the banned turn "the weight of"/,
    /scenes\.jsonl:[34]: nearly repeats Caesar's/,
    /scenes\.jsonl:5: is not JSON/,
    /scenes\.jsonl:6: needs 1 to 5 exchanges/,
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
  change('scenes.jsonl', { 0: saying(reply) })
  const { faults } = check()
  const found = faults.flatMap(
    (fault) => /scenes\.jsonl:1: has a reply of (\d) sentences/.exec(fault)?.[1] ?? [],
  )
  expect(found).toEqual(counts.map(String))
})

test('each rule of an item that is broken is one line that names file and line', () => {
  change('own.jsonl', {
    0: (row) => ({ ...row, q: row.q.slice(1) }),
    1: (row) => ({ ...row, a: 'No.' }),
    2: (row) => ({ ...row, facts: ['no-such-fact'] }),
    3: (row) => ({ ...row, q: row.q.with(0, 'Nobody could lift that.'), a: 'Yes, Caesar could lift it.' }),
    4: (row) => ({ ...row, split: 'dev' }),
    6: (row) => ({ ...row, q: row.q.with(2, 'HELLO to you') }),
  })
  change('shared.jsonl', { 3: (row) => ({ ...row, intent: 'hello' }) })
  change('talks.jsonl', { 0: (row) => ({ ...row, messages: row.messages.slice(2, 6) }) })
  const { status, faults } = check()
  expect(status).toBe(1)
  for (const expected of [
    /own\.jsonl:1: needs 6 trimmed wordings in q/,
    /own\.jsonl:2: has an answer of 1 words, expected 2 to 27/,
    /own\.jsonl:3: names "no-such-fact", which is no fact of the sheet/,
    /own\.jsonl:4: says "yes" to "Nobody could lift that\."/,
    /own\.jsonl:5: has split "dev", expected "test" or none/,
    /shared\.jsonl:4: answers "hello", which is answered before/,
    /shared\.jsonl: lacks an answer to "/,
    /talks\.jsonl:1: needs 4 to 8 exchanges/,
  ]) {
    expect(faults).toContainEqual(expect.stringMatching(expected))
  }
})

test('a fact has to be stated by three items that are trained, and by who says so', () => {
  const facts = JSON.parse(readFileSync(join(source, 'julius-caesar/facts.json'), 'utf8')) as {
    accept: string[]
  }[]
  const changed = facts.map((fact, index) => (index === 0 ? { ...fact, accept: ['xyzzy'] } : fact))
  const extra = { id: 'new', fact: 'New.', ask: ['One?', 'Two?'], accept: ['new'], wrong: [] }
  writeFileSync(join(folder, 'julius-caesar/facts.json'), JSON.stringify([...changed, extra]))
  const { faults } = check()
  expect(faults).toContainEqual(expect.stringMatching(/is said to hold ".*" but has none of xyzzy/))
  expect(faults).toContainEqual(
    expect.stringMatching(/facts\.json: "new" is stated in 0 items that are trained/),
  )
})

test.each([
  ['scenes.jsonl', 'is there anything you REGRET'],
  ['talks.jsonl', 'Good evening. May I sit down?'],
])('what is held out and said in training is found, whatever its letters: %s', (name, text) => {
  const lines = readFileSync(join(source, 'julius-caesar', name), 'utf8')
    .trimEnd()
    .split('\n')
  const at = lines.findIndex((line) => (JSON.parse(line) as { split?: string }).split !== 'test')
  change(name, {
    [at]: (row) => {
      row.messages[2] = { ...row.messages[0]!, content: text }
      row.messages[3] ??= { ...row.messages[1]!, content: 'Caesar said so.' }
      return row
    },
  })
  expect(check().faults).toContainEqual(expect.stringContaining(`trains on ${JSON.stringify(text)}`))
})

test('a held-out wording that another item trains on is found', () => {
  const [first] = readFileSync(join(source, 'julius-caesar/own.jsonl'), 'utf8').split('\n', 1)
  const { q } = JSON.parse(first!) as Row
  change('own.jsonl', { 1: (row) => ({ ...row, q: row.q.with(0, q[5]!) }) })
  expect(check().faults).toContainEqual(
    expect.stringMatching(/own\.jsonl:2: trains on .* which is held out \(Caesar/),
  )
})

test('a further answer is held to the rules of the others, and its question to what is held out', () => {
  const path = join(folder, 'further.json')
  const further = JSON.parse(readFileSync(path, 'utf8')) as { wordings: string[] }[]
  further[0]!.wordings[3] = 'Good evening. May I sit down?'
  further[1]!.wordings.length = 11
  writeFileSync(path, JSON.stringify(further))
  const taken = JSON.parse(
    readFileSync(join(source, 'julius-caesar/shared.jsonl'), 'utf8').split('\n', 1)[0]!,
  ) as { a: string }
  change('further.jsonl', {
    2: (row) => ({ ...row, a: taken.a }),
    3: (row) => ({ ...row, a: 'No.' }),
    4: (row) => ({ ...row, intent: 'nothing' }),
  })
  expect(check().faults).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/further\.jsonl: every character trains on "Good evening\. May I sit down\?"/),
      expect.stringMatching(/further\.jsonl:3: gives the same answer as "hello"/),
      expect.stringMatching(/further\.jsonl:4: has an answer of 1 words/),
      expect.stringMatching(/further\.jsonl:5: answers "nothing", which is no intent/),
    ]),
  )
})

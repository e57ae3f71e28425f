import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { readMeasured } from '../../../src/cli/evaluate.ts'
import { datasetOptions, readDialogues } from '../../../src/cli/trainingData.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hycora-data-'))
})

afterAll(() => rm(folder, { recursive: true }))

function rowOf(role: string, text: string, split?: string): string {
  const messages = [
    { role: 'user', content: `${text}?` },
    { role: 'assistant', content: text },
  ]
  return JSON.stringify({ role, messages, ...(split && { split }) })
}

test('a folder is read file by file, without what is no data and no split of before', async () => {
  const cast = join(folder, 'cast')
  await mkdir(cast)
  await writeFile(join(cast, 'b.jsonl'), `${rowOf('B', 'one', 'test')}\n${rowOf('B', 'two', 'train')}\n`)
  await writeFile(join(cast, 'a.jsonl'), `${rowOf('A', 'three', 'train')}\n`)
  await writeFile(join(cast, 'old.split.jsonl'), `${rowOf('C', 'four', 'train')}\n`)
  await writeFile(join(cast, 'notes.md'), 'no data')
  const dialogues = await readDialogues(`${cast}/`, 1)
  expect(dialogues.map(({ role, split }) => [role, split])).toEqual([
    ['A', 'train'],
    ['B', 'test'],
    ['B', 'train'],
  ])
})

test('a split that was drawn is written beside a folder as beside a file', async () => {
  const [own, rows] = [
    join(folder, 'own'),
    ['one', 'two', 'three', 'four', 'five'].map((text) => rowOf('A', text)),
  ]
  await mkdir(own)
  await writeFile(join(own, 'a.jsonl'), rows.join('\n'))
  const fromFolder = await readDialogues(`${own}/`, 1)
  expect((await readFile(`${own}.split.jsonl`, 'utf8')).trim().split('\n')).toHaveLength(5)
  expect(await readDialogues(join(own, 'a.jsonl'), 1)).toEqual(fromFolder)
  expect(await readFile(join(own, 'a.split.jsonl'), 'utf8')).toBe(
    await readFile(`${own}.split.jsonl`, 'utf8'),
  )
})

test('a folder is split as the names of its files and folders say, and what is not read of it is told', async () => {
  const [own, words] = [join(folder, 'named'), Array<string>()]
  await mkdir(join(own, 'train'), { recursive: true })
  await mkdir(join(own, '.cache'))
  await writeFile(join(own, 'train', 'a.jsonl'), ['one', 'two'].map((text) => rowOf('A', text)).join('\n'))
  await writeFile(join(own, 'roles-validation.csv'), 'role,question,answer\nA,Who?,Me.\n')
  await writeFile(join(own, '.cache', 'b.jsonl'), rowOf('B', 'one'))
  await writeFile(join(own, 'test.json'), '[]')
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => words.push(String(text)) > 0)
  const dialogues = await readDialogues(own, 1).finally(() => spy.mockRestore())
  expect(dialogues.map(({ role, split, file }) => [role, split, file])).toEqual([
    ['A', 'test', 'roles-validation.csv'],
    ['A', 'train', 'train/a.jsonl'],
    ['A', 'train', 'train/a.jsonl'],
  ])
  expect(words.join('')).toBe(
    `warning: ${own}: of a folder only .jsonl, .ndjson, .csv and .tsv are read, not test.json\n` +
      'named: By the files’ names train/a.jsonl is learnt, roles-validation.csv is held out.\n',
  )
  const measured = await readMeasured(own)
  expect(measured.dialogues.map(({ split }) => split)).toEqual(['test', 'train', 'train'])
})

const given = (words: Record<string, string>) => datasetOptions(new Map(Object.entries(words)))

test('rows that name nobody and columns with names of their own are read as the options say', async () => {
  const [rows, table] = [join(folder, 'alpaca.jsonl'), join(folder, 'table.csv')]
  const split = { split: 'train' }
  const row = { instruction: 'Who?', output: 'Me.', ...split }
  await writeFile(rows, `${JSON.stringify(row)}\n${JSON.stringify({ ...row, role: 'Bo' })}\n`)
  await writeFile(table, 'asks,"says, then",who,split\nHi?,Hi.,,train\nHo?,Ho.,Bo,train\n')
  await expect(readDialogues(table, 1, given({ role: 'Ada' }))).rejects.toThrow('no row that is a dialogue')
  const named = await readDialogues(rows, 1, given({ role: 'Ada' }))
  expect(named.map(({ role }) => role)).toEqual(['Ada', 'Bo'])
  const columns = 'user=asks,reply=says, then,role=who'
  const mapped = await readDialogues(table, 1, given({ role: 'Ada', columns }))
  expect(mapped.map(({ role, turns }) => [role, ...turns.map(({ text }) => text)])).toEqual([
    ['Ada', 'Hi?', 'Hi.'],
    ['Bo', 'Ho?', 'Ho.'],
  ])
  for (const wrong of ['user=asks', 'asks,says', 'user=asks,reply=', 'user=a,reply=b,user=c', 'x=a,user=b']) {
    expect(() => given({ columns: wrong })).toThrow(`--columns is "${wrong}", expected user=COLUMN`)
  }
})

test('a folder without data and a path to nothing say what is wrong', async () => {
  const empty = join(folder, 'empty')
  await mkdir(empty)
  await expect(readDialogues(empty, 1)).rejects.toThrow(`${empty} has no file of JSON Lines or CSV`)
  await expect(readDialogues(join(folder, 'nowhere'), 1)).rejects.toThrow('is no file and no folder')
})

test('lines that changed since they were split keep their side where they are the same, and are told of', async () => {
  const data = join(folder, 'changing.jsonl')
  const rows = Array.from({ length: 10 }, (_, index) => rowOf('A', `number ${index}`))
  await writeFile(data, rows.join('\n'))
  const drawn = await readDialogues(data, 42)
  const first = await readMeasured(data)
  expect(first.notes).toEqual([])
  expect(first.dialogues.map(({ split }) => split)).toEqual(drawn.map(({ split }) => split))
  const held = drawn.flatMap(({ split }, index) => (split === 'test' ? [index] : []))
  const changed = rows.map((row, index) => (held.includes(index) ? row.replaceAll('number', 'other') : row))
  const more = Array.from({ length: 30 }, (_, index) => rowOf('A', `more ${index}`))
  await writeFile(data, [...changed, ...more].join('\n'))
  const { dialogues, notes } = await readMeasured(data)
  expect(notes).toEqual([
    'warning: changing.split.jsonl is of other lines: 32 are new, 2 are gone; the new ones are split with seed 42',
  ])
  const measured = dialogues.filter(({ split }) => split === 'test').map(({ turns }) => turns[1]!.text)
  expect(measured).toHaveLength(8)
  for (const text of measured) expect(text).toMatch(/^(?:other|more) /)
})

test('data beside which nothing can be written are read all the same', async () => {
  const data = join(folder, 'locked.jsonl')
  await writeFile(data, ['one', 'two', 'three'].map((text) => rowOf('A', text)).join('\n'))
  await mkdir(join(folder, 'locked.split.jsonl'))
  const words: string[] = []
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => words.push(String(text)) > 0)
  const dialogues = await readDialogues(data, 1).finally(() => spy.mockRestore())
  expect(dialogues).toHaveLength(3)
  expect(words.join('')).toContain('warning: the split cannot be written beside the data')
})

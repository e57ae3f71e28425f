import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test, vi } from 'vitest'

import { blind } from '../../../src/cli/blind.ts'
import { makeReading, readAnswerFile, readingPage } from '../../../src/cli/blind/reading.ts'
import type { AnswerFile } from '../../../src/cli/blind/reading.ts'
import { formatScores, readFilledForm, readKey, scoreReading } from '../../../src/cli/blind/score.ts'

const folder = await mkdtemp(join(tmpdir(), 'hycora-blind-'))
afterAll(() => rm(folder, { recursive: true }))
const path = (name: string): string => join(folder, name)

function version(name: string, questions = 12): AnswerFile {
  const answers = Array.from({ length: questions }, (_, index) => ({
    role: index % 2 === 0 ? 'Alice' : 'Caesar',
    before: 'Good day.',
    question: `Question ${index}?`,
    answer: `${name} says </script> ${index}.`,
  }))
  return { version: name, answers }
}

const digest = (text: string): string => String(text.length)
const options = { form: 'scores', seed: 3, digest } as const
const refused = (files: readonly AnswerFile[]) => () => makeReading(files, options)

describe('a reading', () => {
  const { reading, key } = makeReading([version('one'), version('two'), version('three', 8)], options)

  test('has the questions that all versions answered, each with every answer once, and says not whose', () => {
    expect(reading.items).toHaveLength(8)
    for (const [index, { id, question, answers }] of reading.items.entries()) {
      const { versions } = key.items[index]!
      expect(key.items[index]!.id).toBe(id)
      expect(versions.toSorted()).toEqual(['one', 'three', 'two'])
      const number = /\d+/.exec(question)![0]
      expect(answers).toEqual(versions.map((name) => `${name} says </script> ${number}.`))
    }
    expect(Object.keys(reading)).toEqual(['id', 'form', 'items'])
  })

  test('has its order from the seed alone', () => {
    const first = key.items.map(({ versions }) => versions.join())
    expect(new Set(first).size).toBeGreaterThan(2)
    const files = [version('one'), version('two'), version('three', 8)]
    expect(makeReading(files, options).key).toEqual(key)
    expect(makeReading(files, { ...options, seed: 4 }).key.items).not.toEqual(key.items)
  })

  test('is a page that holds it whole, and nothing from elsewhere', () => {
    const page = readingPage(reading)
    const data = /<script type="application\/json" id="reading">([^]*?)<\/script>/.exec(page)![1]!
    expect(JSON.parse(data)).toEqual(reading)
    expect(page).toContain("default-src 'none'")
    expect(page).not.toMatch(/https?:|\bsrc=|\bhref="/)
    for (const { versions } of key.items)
      expect(versions.some((name) => page.includes(`"${name}"`))).toBe(false)
  })

  test('needs two to four versions of different names with a question in common', () => {
    expect(refused([version('one')])).toThrow('expected 2 to 4')
    expect(refused([version('one'), version('one')])).toThrow('two versions are called')
    expect(refused([version('one'), version('two', 0)])).toThrow('no question in common')
    expect(() => readAnswerFile({ version: 'x', answers: [{}] }, 'x.json')).toThrow('x.json: answer 1 lacks')
    expect(() => readAnswerFile([], 'x.json')).toThrow('holds no version')
  })
})

const mark = (topic: number, sense: number, voice: number) => ({ topic, sense, voice })

describe('the scores', () => {
  const key = {
    reading: 'r',
    form: 'scores',
    items: [
      { id: 1, versions: ['a', 'b'] },
      { id: 2, versions: ['b', 'a'] },
      { id: 3, versions: ['a', 'b'] },
    ],
  } as const
  const form = {
    reading: 'r',
    form: 'scores',
    // The second answer of the third item is not marked whole.
    marks: {
      1: [mark(2, 2, 1), mark(0, 1, 1)],
      2: [mark(2, 0, 0), mark(2, 1, 1)],
      3: [mark(2, 2, 2), { topic: 1 }],
    },
  }

  test('are of whole items: means, shares, and who was put above whom', () => {
    const scores = scoreReading(readKey(key, 'key.json'), readFilledForm(form, 'form.json'))
    expect(scores).toEqual([
      {
        version: 'a',
        read: 2,
        scores: { topic: 2, sense: 1.5, voice: 1, answers: 1, sound: 0.5 },
        against: [{ version: 'b', above: 2, below: 0 }],
      },
      {
        version: 'b',
        read: 2,
        scores: { topic: 1, sense: 0.5, voice: 0.5, answers: 0.5, sound: 0 },
        against: [{ version: 'a', above: 0, below: 2 }],
      },
    ])
    expect(formatScores(scores).split('\n')).toEqual([
      'version    topic    sense    voice  answers    sound     read',
      'a           2.00     1.50     1.00    100 %     50 %        2',
      'b           1.00     0.50     0.50     50 %      0 %        2',
      '',
      'a: above b in 2 of 2, below in 0',
      '',
    ])
  })

  test('of preferences are wins alone', () => {
    const preferred = { ...form, form: 'preference', marks: { 1: 1, 2: 0, 3: -1 } }
    const preferenceKey = readKey({ ...key, form: 'preference' }, 'key.json')
    const scores = scoreReading(preferenceKey, readFilledForm(preferred, 'form.json'))
    expect(scores[0]).toEqual({
      version: 'b',
      read: 3,
      scores: null,
      against: [{ version: 'a', above: 2, below: 0 }],
    })
    expect(formatScores(scores)).toBe('b: above a in 2 of 3, below in 0\n')
  })

  test('are refused of another reading, of nothing read, and of other files', () => {
    const filled = readFilledForm(form, 'form.json')
    expect(() => scoreReading({ ...key, reading: 's' }, filled)).toThrow('the form is of reading r')
    expect(() => scoreReading(key, { ...filled, marks: new Map() })).toThrow('no item')
    expect(() => readFilledForm({}, 'form.json')).toThrow('form.json is no form')
    expect(() => readKey({ ...key, items: [1] }, 'key.json')).toThrow('an item without')
    expect(() => readKey([], 'key.json')).toThrow('key.json is no key')
  })
})

test('from answers to a page, a filled form and its scores', async () => {
  for (const name of ['one', 'two']) await writeFile(path(`${name}.json`), JSON.stringify(version(name, 2)))
  await blind([path('one.json'), path('two.json'), '--out', path('reading'), '--form', 'preference'])
  const key = readKey(JSON.parse(await readFile(path('reading/key.json'), 'utf8')), 'key')
  expect(await readFile(path('reading/reading.html'), 'utf8')).toContain(key.reading)
  const marks = Object.fromEntries(key.items.map(({ id, versions }) => [id, versions.indexOf('two')]))
  const filled = { reading: key.reading, form: 'preference', marks }
  await writeFile(path('reading/filled.json'), JSON.stringify(filled))
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  await blind(['--score', path('reading/filled.json')])
  expect(written.mock.calls.join('')).toBe('two: above one in 2 of 2, below in 0\n')
  written.mockRestore()
  await expect(blind(['--score', path('reading/none.json')])).rejects.toMatchObject({ code: 'usage' })
  await expect(blind([path('one.json'), '--out', path('x')])).rejects.toThrow('expected 2 to 4')
})

import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import { HycoraError, check } from '../core/errors.ts'
import { isJsonRecord } from '../core/json.ts'
import { integerOption, parseArguments, required } from './arguments.ts'
import { askVersion } from './blind/ask.ts'
import { makeReading, readAnswerFile, readingPage } from './blind/reading.ts'
import type { Form } from './blind/reading.ts'
import { formatScores, readFilledForm, readKey, scoreReading } from './blind/score.ts'
import { DECODING_OPTIONS } from './generate.ts'

/** What `--out` of a reading holds. */
const PAGE = 'reading.html'
const KEY = 'key.json'

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(resolve(path), 'utf8').catch(() => undefined)
  check(text !== undefined, 'usage', () => `${path} cannot be read`)
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    throw new HycoraError('format-invalid', `${path} is not JSON`)
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true })
  await writeFile(resolve(path), `${JSON.stringify(value, null, 2)}\n`)
}

/**
 * `blind`: for a reader who must not know whose is whose. `--ask` has a version answer held-out questions; two to four
 * such files become a page to fill in and a key; `--score` says what a filled page says of each version.
 */
export async function blind(words: readonly string[]): Promise<void> {
  const { options, operands } = parseArguments(words, {
    values: [
      'out',
      'engine',
      'seed',
      'max-tokens',
      'prompt',
      'pack',
      'backbone',
      'model',
      'name',
      'roles',
      'questions',
      'form',
      'score',
      'key',
      ...DECODING_OPTIONS,
    ],
    flags: ['ask'],
  })
  const scored = options.get('score')
  if (scored !== undefined) {
    process.stdout.write(await scoresOf(scored, options.get('key') ?? join(dirname(scored), KEY)))
    return
  }
  const out = required(options, 'out')
  const seed = integerOption(options, 'seed', 1, { least: 0 })
  if (options.has('ask')) {
    await writeJson(out, await askVersion(options, seed))
    return
  }
  const form = formOf(options.get('form') ?? 'scores')
  const files = await Promise.all(operands.map(async (path) => readAnswerFile(await readJson(path), path)))
  const { reading, key } = makeReading(files, { form, seed, digest })
  await writeJson(join(out, KEY), key)
  await writeFile(join(resolve(out), PAGE), readingPage(reading))
  process.stderr.write(
    `${reading.items.length} questions, ${files.length} versions; ${KEY} is not for the reader\n`,
  )
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function formOf(text: string): Form {
  if (text === 'scores' || text === 'preference') return text
  throw new HycoraError('usage', `--form is "${text}", expected scores or preference`)
}

async function scoresOf(path: string, keyPath: string): Promise<string> {
  const [form, key] = [await readJson(path), await readJson(keyPath)]
  check(isJsonRecord(form), 'format-invalid', () => `${path} is no form of a blind reading`)
  return formatScores(scoreReading(readKey(key, keyPath), readFilledForm(form, path)))
}

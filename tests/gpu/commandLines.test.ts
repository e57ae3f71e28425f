import { spawn } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { COMMAND_LINES } from '../support/commandLines.ts'
import type { DocumentedCommand } from '../support/commandLines.ts'
import { root } from '../support/documents.ts'

const LINES = ['train', 'train', 'train', 'test'].map((split, index) => ({
  role: 'Alice',
  split,
  messages: [
    { role: 'user', content: `Question ${index}?` },
    { role: 'assistant', content: `Answer ${index}, if you please.` },
  ],
}))
const CONFIG = {
  steps: 1,
  batch: 2,
  rank: 2,
  hypernetwork: { roleEmbedding: 8, layerEmbedding: 8, hidden: 16, residualBlocks: 1, generatorRank: 2 },
}
const QUESTION = 'Do you like tea?'
const CARD = {
  name: 'Orla',
  description: 'A keeper of lighthouses.',
  first_mes: 'Mind the step.',
  mes_example: '',
}
/** What `npm run fix` reads of the repository. */
const FIXED = ['package.json', 'tsconfig.json', '.oxfmtrc.json', '.oxlintrc.json']

let scratch = ''

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'hycora-commands-'))
  await writeFile(join(scratch, 'lines.jsonl'), LINES.map((line) => JSON.stringify(line)).join('\n'))
  await writeFile(join(scratch, 'config.json'), JSON.stringify(CONFIG))
  await writeFile(join(scratch, 'questions.txt'), `${QUESTION}\n`)
  await writeFile(join(scratch, 'card.json'), JSON.stringify(CARD))
  for (const version of ['one', 'two']) {
    const answers = [
      { role: 'Alice', before: 'Good day.', question: QUESTION, answer: `${version} says so.` },
    ]
    await writeFile(join(scratch, `${version}.json`), JSON.stringify({ version, answers }))
  }
  await mkdir(join(scratch, 'fix/src'), { recursive: true })
  for (const name of FIXED) await cp(join(root, name), join(scratch, 'fix', name))
  symlinkSync(join(root, 'node_modules'), join(scratch, 'fix/node_modules'))
  await writeFile(join(scratch, 'fix/src/some.ts'), 'export const some  = "text";\n')
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

function wordsOf(runs: readonly string[]): readonly string[] {
  const [program, ...words] = runs
  const start = program === 'hycora' ? ['npm', 'run', '--silent', 'hycora', '--'] : [program!]
  const places = {
    '{scratch}': scratch,
    '{pack}': join(root, 'public/packs/starter.hycora.safetensors'),
    '{lines}': join(scratch, 'lines.jsonl'),
    '{config}': join(scratch, 'config.json'),
    '{questions}': join(scratch, 'questions.txt'),
    '{card}': join(scratch, 'card.json'),
    '{one}': join(scratch, 'one.json'),
    '{two}': join(scratch, 'two.json'),
  }
  return [...start, ...words].map((word) =>
    Object.entries(places).reduce((text, [name, path]) => text.replace(name, () => path), word),
  )
}

/** Runs a command line to its end, or until it has printed what it must. */
function run({ runs, at, serves, prints }: DocumentedCommand): Promise<{ code: number | null; out: string }> {
  const [program, ...words] = wordsOf(runs!)
  const child = spawn(program!, words, {
    cwd: at === undefined ? root : join(scratch, at),
    // A group of its own, so that what it started ends with it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PORT: '4817' },
  })
  let out = ''
  const hear = (chunk: Buffer): void => {
    out += chunk.toString()
    if (serves && prints?.test(out)) process.kill(-child.pid!, 'SIGTERM')
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: serves ? 0 : code, out }))
  })
}

const executed = COMMAND_LINES.filter(({ runs }) => runs !== undefined)

test.each(executed)('$document: $line', async (command) => {
  const read = (): string =>
    command.keeps === undefined ? '' : readFileSync(join(root, command.keeps), 'utf8')
  const kept = read()
  const { code, out } = await run(command)
  const missing = (command.leaves ?? []).filter((name) => !existsSync(join(scratch, name)))
  // What it said is part of what is compared, so that a failure shows it.
  expect({ code, out, missing }).toEqual({
    code: 0,
    out: expect.stringMatching(command.prints ?? /^/),
    missing: [],
  })
  expect(read() === kept).toBe(true)
})

test('the formatter did format', () => {
  expect(readFileSync(join(scratch, 'fix/src/some.ts'), 'utf8')).toBe("export const some = 'text'\n")
})

import { COMMANDS } from '../../src/cli/commands.ts'
import { codeOf } from './documents.ts'

/** A command line that a document names, and what makes it true. */
export interface DocumentedCommand {
  readonly document: string
  /** As the document has it, or its beginning and `…`. */
  readonly line: string
  /** The test file or tool that executes it, where the run below is not ours. */
  readonly elsewhere?: string
  /**
   * The program and its words in a short form; `hycora` is the command line. `{scratch}` is a folder of the run's own,
   * `{pack}` the starter's pack, `{lines}` and `{config}` a small data set and training file, `{questions}` a
   * file of questions, `{one}` and `{two}` answers to it.
   */
  readonly runs?: readonly string[]
  /** What stdout must have. */
  readonly prints?: RegExp
  /** Files below the scratch folder that must be there afterwards. */
  readonly leaves?: readonly string[]
  /** A committed file that the run writes anew, to the byte. */
  readonly keeps?: string
  /** The folder below the scratch folder where it runs; else the repository's root. */
  readonly at?: string
  /** Whether it runs until it is stopped, once it has printed what it must. */
  readonly serves?: true
}

const README = 'README.md'
const MANUAL = 'docs/command-line.md'
const BARRIERS = 'docs/barriers.md'
const HOUSE = 'docs/house.md'
const SCIENCE = 'docs/science.md'
const TWIN = 'scale/README.md'
const CAST = 'data/cast/README.md'
const CARD = 'public/models/smollm2-135m-instruct/README.md'

/** The test command runs format, lint, types and every project, so that whoever reads this has run it. */
const THE_RUN = 'tools/test.mjs'
const SELF = 'tests/gpu/commandLines.test.ts'
const PYTHON_COMMANDS = 'scale/tests/test_commands.py'
const TRAIN = ['hycora', 'train', '--backbone', 'starter', '--data', '{lines}', '--config', '{config}']
const ROLE = ['--pack', '{pack}', '--role', 'Alice']

/** Every command line of the documents, in their order. */
export const COMMAND_LINES: readonly DocumentedCommand[] = [
  {
    document: README,
    line: 'npm start',
    runs: ['npm', 'start'],
    prints: /HyCoRA playground: http/,
    serves: true,
  },
  { document: README, line: 'npm test', elsewhere: THE_RUN },
  {
    document: README,
    line: 'hycora train --keep best',
    elsewhere: SELF,
  },
  {
    document: README,
    line: 'npm run --silent evaluate',
    runs: ['npm', 'run', '--silent', 'evaluate', '--', '--only', 'facts', '--facts', '1', '--json'],
    prints: /"contradicted"/,
  },
  {
    document: README,
    line: 'npm run --silent hycora -- bench',
    runs: [
      'npm',
      'run',
      '--silent',
      'hycora',
      '--',
      'bench',
      '--cases',
      'load,decode',
      '--rounds',
      '1',
      '--tokens',
      '2',
    ],
    prints: /load .*\n.*decode/,
  },
  { document: README, line: 'npm run build', elsewhere: 'tests/support/buildSite.ts' },
  { document: README, line: 'npm run fix', runs: ['npm', 'run', 'fix'], at: 'fix' },
  {
    document: MANUAL,
    line: 'npm run --silent hycora -- COMMAND …',
    runs: ['npm', 'run', '--silent', 'hycora', '--', 'inspect', '{pack}'],
    prints: /persona pack/,
  },
  {
    document: MANUAL,
    line: 'generate --backbone DIR …',
    runs: [
      'hycora',
      'generate',
      '--backbone',
      'starter',
      ...ROLE,
      '--prompt',
      'Hi',
      '--greedy',
      '--max-tokens',
      '3',
      '--stop',
      'never said',
    ],
    prints: /\S/,
  },
  { document: MANUAL, line: 'generate --group …', elsewhere: 'tests/unit/cli/groupChat.test.ts' },
  {
    document: MANUAL,
    line: 'train --backbone DIR --data …',
    runs: [...TRAIN, '--keep', 'best', '--out', '{scratch}/trained.hycora.safetensors'],
    prints: /"crossEntropy"/,
    leaves: ['trained.hycora.safetensors', 'trained.hycora.safetensors.checkpoint'],
  },
  {
    document: MANUAL,
    line: 'train --preview …',
    runs: ['hycora', 'train', '--preview', '--backbone', 'starter', '--data', '{lines}'],
    prints: /⟦Answer 0, if you please\.<\|im_end\|>⟧/,
  },
  {
    document: MANUAL,
    line: 'train --backbone DIR --batches …',
    elsewhere: 'tests/gpu/train/command.test.ts',
  },
  {
    document: MANUAL,
    line: 'teach …',
    runs: 'hycora teach --backbone starter --data {lines} --config {config} --out {scratch}/taught'.split(
      ' ',
    ),
    prints: /^\{"step":1,/m,
    leaves: ['taught', 'taught.checkpoint'],
  },
  {
    document: MANUAL,
    line: 'teach --backbone DIR --out F --card F …',
    runs: 'hycora teach --backbone starter --card {card} --questions 3 --config {config} --out {scratch}/carded'.split(
      ' ',
    ),
    prints: /^\{"step":1,/m,
    leaves: ['carded', 'carded.checkpoint', 'carded.lines.jsonl'],
  },
  {
    document: MANUAL,
    line: 'evaluate …',
    runs: 'hycora evaluate --pack {pack} --data {lines} --engine ort --only voice --generations 1'.split(' '),
    prints: /Alice/,
  },
  {
    document: MANUAL,
    line: 'logits …',
    runs: [
      'hycora',
      'logits',
      '--backbone',
      'starter',
      ...ROLE,
      '--ids',
      '5,9,77',
      '--steps',
      '42,7',
      '--out',
      '{scratch}/logits',
    ],
    leaves: ['logits'],
  },
  {
    document: MANUAL,
    line: 'matrices --pack F --role NAME --out F',
    runs: ['hycora', 'matrices', ...ROLE, '--out', '{scratch}/matrices'],
    leaves: ['matrices'],
  },
  {
    document: MANUAL,
    line: 'tokens DIR --text TEXT',
    runs: ['hycora', 'tokens', 'starter', '--text', 'a line'],
    prints: /"decoded": ?"a line"/,
  },
  {
    document: MANUAL,
    line: 'inspect FILE|DIR [--json]',
    runs: ['hycora', 'inspect', '{pack}', '--json'],
    prints: /"roles"/,
  },
  {
    document: MANUAL,
    line: 'convert --pack F --role NAME --to …',
    runs: ['hycora', 'convert', ...ROLE, '--to', 'charx', '--out', '{scratch}/alice.charx'],
    leaves: ['alice.charx'],
  },
  {
    document: MANUAL,
    line: 'convert --pack F --to pack …',
    runs: ['hycora', 'convert', '--pack', '{pack}', '--to', 'pack', '--f16', '--out', '{scratch}/halves'],
    leaves: ['halves'],
  },
  {
    document: MANUAL,
    line: 'import PATH --out F',
    runs: ['hycora', 'import', '{pack}', '--out', '{scratch}/imported'],
    leaves: ['imported'],
  },
  {
    document: MANUAL,
    line: 'fetch OWNER/NAME[@REVISION] …',
    elsewhere: 'tests/unit/cli/fetch.test.ts',
  },
  {
    document: MANUAL,
    line: 'check --backbone DIR …',
    runs: ['hycora', 'check', '--backbone', 'starter', '--tokens', '4'],
    prints: /logits: NMSE [\d.]+e-\d+, the same model\n.*4 tokens: all the same/,
  },
  {
    document: MANUAL,
    line: 'bench …',
    elsewhere: SELF,
  },
  {
    document: MANUAL,
    line: 'bench --card …',
    runs: ['hycora', 'bench', '--card', '--models', 'tiny', '--only', 'switch', '--rounds', '1'],
    prints: /switch +role/,
  },
  {
    document: 'docs/cards/README.md',
    line: 'npm run --silent hycora -- bench --card --json > docs/cards/NAME.json',
    elsewhere: 'tests/gpu/bench/card.test.ts',
  },
  {
    document: MANUAL,
    line: 'openings …',
    runs: ['hycora', 'openings', '--first', '1', '--engine', 'ort', '--max-tokens', '1'],
    prints: /\|/,
  },
  {
    document: MANUAL,
    line: 'blind --ask …',
    runs: [
      'hycora',
      'blind',
      '--ask',
      '--backbone',
      'starter',
      '--pack',
      '{pack}',
      '--roles',
      'Alice',
      '--questions',
      '{questions}',
      '--max-tokens',
      '2',
      '--out',
      '{scratch}/asked.json',
    ],
    leaves: ['asked.json'],
  },
  {
    document: MANUAL,
    line: 'blind F F …',
    runs: ['hycora', 'blind', '{one}', '{two}', '--out', '{scratch}/blind'],
    leaves: ['blind/reading.html', 'blind/key.json'],
  },
  { document: MANUAL, line: 'blind --score …', elsewhere: 'tests/unit/cli/blind.test.ts' },
  { document: HOUSE, line: 'npm test', elsewhere: THE_RUN },
  { document: HOUSE, line: 'npm test -- PATH', elsewhere: THE_RUN },
  { document: HOUSE, line: 'npm test -- --project unit', elsewhere: THE_RUN },
  { document: HOUSE, line: 'npm run check', elsewhere: THE_RUN },
  { document: HOUSE, line: 'npm run fix', elsewhere: SELF },
  { document: HOUSE, line: 'npm run mutants', elsewhere: SELF },
  {
    document: HOUSE,
    line: 'npm run mutants -- WORD',
    runs: ['npm', 'run', 'mutants', '--', 'systemLine'],
    prints: /^1 caught, 0 missed, 0 not run$/m,
  },
  { document: HOUSE, line: 'npm run evaluate', elsewhere: SELF },
  {
    document: HOUSE,
    line: 'node tools/manifest.mjs',
    runs: ['node', 'tools/manifest.mjs'],
    keeps: 'public/models/index.json',
  },
  ...[
    'pip install ./scale',
    'pip install -r scale/requirements.lock',
    "pip install './scale[pictures]'",
    'python -m hycora_scale train --backbone smollm2-135m-instruct --data public/cast/lines.jsonl --out mine.hycora.safetensors',
    'accelerate launch -m hycora_scale train --backbone … --data … --out …',
    'torchrun --nproc_per_node 2 -m hycora_scale -- train …',
    'python -m hycora_scale evaluate --backbone starter --pack F --data public/cast/lines.jsonl [--all] [--split wording]',
    'python -m hycora_scale import-official DIR --backbone … --roles roles_desc.json --alpha 32 --out F',
    'python -m hycora_scale plan --backbone DIR --config F --roles N --processes 8 [--checkpoint-activations] [--teraflops T]',
  ].map((line) => ({ document: TWIN, line, elsewhere: PYTHON_COMMANDS })),
  ...[HOUSE, SCIENCE].map((document) => ({
    document,
    line: 'node tools/science.mjs',
    elsewhere: 'tests/unit/docs/science.test.ts',
  })),
  ...['cost', 'methods', 'method-forms', 'passes', 'apart', 'three-passes', 'new-role', 'more-roles'].map(
    (name) => ({
      document: SCIENCE,
      line: `python -m hycora_scale experiment ${name}`,
      elsewhere: 'scale/tests/test_experiment.py',
    }),
  ),
  {
    document: HOUSE,
    line: 'python -m hycora_scale experiment NAME',
    elsewhere: 'scale/tests/test_experiment.py',
  },
  {
    document: TWIN,
    line: 'python -m hycora_scale experiment cost',
    elsewhere: 'scale/tests/test_experiment.py',
  },
  { document: TWIN, line: 'npm run check', elsewhere: THE_RUN },
  { document: TWIN, line: 'npm test', elsewhere: THE_RUN },
  { document: TWIN, line: 'pip install pytest && cd scale && pytest', elsewhere: 'tools/pythonTests.mjs' },
  { document: TWIN, line: 'ruff check . && ruff format --check .', elsewhere: 'tools/checks.mjs' },
  {
    document: CAST,
    line: 'node tools/conversations.mjs',
    runs: ['node', 'tools/conversations.mjs', '--first', '1', '--turns', '1'],
    prints: /\*\*You\*\*: Good evening, Mr Holmes\./,
  },
  {
    document: CAST,
    line: 'node tools/castLines.mjs',
    runs: ['node', 'tools/castLines.mjs'],
    keeps: 'public/cast/lines.jsonl',
  },
  {
    document: CAST,
    line: 'node tools/castOpenings.mjs',
    runs: ['node', 'tools/castOpenings.mjs'],
    keeps: 'public/cast/openings.json',
  },
  {
    document: CAST,
    line: 'node tools/castBooks.mjs',
    runs: ['node', 'tools/castBooks.mjs', '--role', 'Alice'],
    keeps: 'public/cast/books.json',
  },
  {
    document: CAST,
    line: 'node tools/checkCast.mjs',
    elsewhere: SELF,
  },
  {
    document: CAST,
    line: 'node tools/checkCast.mjs --role "Alice" --misses',
    runs: ['node', 'tools/checkCast.mjs', '--role', 'Alice', '--misses'],
    prints: /12 characters, 0 faults/,
  },
  { document: CARD, line: 'node tools/conversations.mjs', elsewhere: SELF },
  { document: CARD, line: 'npm run --silent hycora -- openings', elsewhere: SELF },
  { document: README, line: 'node tools/results.mjs', elsewhere: 'tests/unit/docs/results.test.ts' },
  { document: BARRIERS, line: 'npm run mutants -- Barrier', elsewhere: SELF },
  {
    document: BARRIERS,
    line: 'node tools/mutants/barriers.mjs',
    elsewhere: 'tests/unit/tools/barriers.test.ts',
  },
]

const PROGRAMS = /^(?:npm|npx|node|python|pip|accelerate launch|torchrun|ruff|pytest)\s/
const WORDS_OF_HYCORA = new RegExp(`^(?:${Object.keys(COMMANDS).join('|')}) (?=\\S*[A-Z/[-])`)

/** The command lines that a document names as code; `hycora` before a command is a command line as well. */
export function commandLinesIn(text: string, isManual: boolean): readonly string[] {
  const lines = codeOf(text).filter(
    (code) =>
      PROGRAMS.test(`${code} `) || /^hycora \S+ -/.test(code) || (isManual && WORDS_OF_HYCORA.test(code)),
  )
  return [...new Set(lines)]
}

/** Whether a line of the table stands for one of a document. */
export function standsFor(line: string, named: string): boolean {
  return line === named || (line.endsWith(' …') && named.startsWith(line.slice(0, -1)))
}

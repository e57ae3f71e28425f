// @ts-check
// The README's tables of numbers, out of the committed outputs of the commands that measured them.

/**
 * What `hycora evaluate --json` says of a pack; the measures of sense where they were asked for.
 * @typedef {{
 *   roles: string[],
 *   nll: { bare: number, prompted: number, role: number },
 *   roleSwap: { matrix: number[][], accuracy: number, margin: number, perReply: number },
 *   relevance: { ceiling: number, floor: number, splits: { test: Measure, wording: Measure } },
 *   facts: Measure,
 *   details: { nllByRole: { bare: number[], prompted: number[], role: number[] } },
 * }} Evaluation
 * @typedef {{ accuracy: number }} Measure
 * @typedef {{ case: string, ours: number | null, rival: number | null, unit: string }} Speed
 * @typedef {{ rows: readonly Speed[] }} Bench what `hycora bench --json` says
 */

/**
 * A kept output.
 * @template Output
 * @typedef {{ command: string, pack: string, output: Output }} Result of the pack with this SHA-256
 */

/** @param {number} value */
const hundredths = (value) => value.toFixed(2)

/** @param {number} value a share of 1 */
const percent = (value) => `${Math.round(100 * value)} %`

/** @param {readonly string[]} cells */
const rowOf = (cells) => `| ${cells.join(' | ')} |`

/** @param {readonly (readonly string[])[]} rows the first is the head */
function table([head = [], ...rows]) {
  return [rowOf(head), `|${'---|'.repeat(head.length)}`, ...rows.map(rowOf)].join('\n')
}

/**
 * By how much the best other adapter does worse on a role's replies.
 * @param {readonly number[]} row NLL of the role's replies under each adapter
 * @param {number} own
 */
function marginOf(row, own) {
  return Math.min(...row.filter((_, index) => index !== own)) - (row[own] ?? NaN)
}

/**
 * Loss of every role, bare, with its card as prompt and as the role, and its margin.
 * @param {readonly Evaluation[]} evaluations of one cast
 * @param {readonly string[]} models
 * @param {Readonly<Record<string, string>>} names as they are shown, by the name in the pack
 */
export function lossTable(evaluations, models, names) {
  const head = models.flatMap((model) => [`${model}: bare`, 'card', 'as the role', 'margin'])
  const roles = evaluations[0]?.roles ?? []
  const rows = roles.map((role, index) => [
    names[role] ?? role,
    ...evaluations.flatMap(({ details: { nllByRole }, roleSwap }) => [
      ...[nllByRole.bare, nllByRole.prompted, nllByRole.role].map((values) =>
        hundredths(values[index] ?? NaN),
      ),
      hundredths(marginOf(roleSwap.matrix[index] ?? [], index)),
    ]),
  ])
  const all = evaluations.flatMap(({ nll, roleSwap }) =>
    [nll.bare, nll.prompted, nll.role, roleSwap.margin].map(hundredths),
  )
  return table([['', ...head], ...rows, ['**all**', ...all]])
}

/** @param {Evaluation} evaluation */
function senseOf({ relevance, facts }) {
  return [
    percent(relevance.splits.test.accuracy),
    percent(relevance.splits.wording.accuracy),
    `${percent(relevance.ceiling)}; ${percent(relevance.floor)}`,
    percent(facts.accuracy),
  ]
}

/** @param {Evaluation} evaluation */
function voiceOf({ nll, roles, roleSwap }) {
  /** @param {number} other */
  const below = (other) => `${(100 * (1 - nll.role / other)).toFixed(1)} %`
  return [
    `${below(nll.prompted)} below the card, ${below(nll.bare)} below bare`,
    `${Math.round(roleSwap.accuracy * roles.length)} of ${roles.length}`,
    percent(roleSwap.perReply),
  ]
}

/** What the rows of `figuresTable` say, in its order. */
const FIGURES = [
  'answers of which the bare model, of eight questions, finds the right one: unseen questions',
  '… known questions in unseen words',
  '… of the data’s own answers; of answers to other questions',
  'plain facts of their characters that are answered right',
  'loss as the role',
  'own adapter best',
  '… of single replies',
]

/**
 * Sense and voice of each pack.
 * @param {readonly Evaluation[]} evaluations
 * @param {readonly string[]} models
 */
export function figuresTable(evaluations, models) {
  const columns = evaluations.map((evaluation) => [...senseOf(evaluation), ...voiceOf(evaluation)])
  const rows = FIGURES.map((figure, index) => [figure, ...columns.map((column) => column[index] ?? '')])
  return table([['', ...models], ...rows])
}

/**
 * Each case of a bench: ours beside onnxruntime's on the same driver and file.
 * @param {Bench} bench
 */
export function speedTable({ rows }) {
  const cases = rows.map(({ case: name, ours, rival, unit }) => {
    const [, tokens] = /^prefill-(\d+)$/.exec(name) ?? []
    const values = [ours, rival].map((value) => (value === null ? '–' : value.toPrecision(3)))
    return [`${tokens ? `prefill of ${tokens}` : name}, ${unit}`, ...values]
  })
  return table([['', 'this', 'onnxruntime-node, WebGPU provider'], ...cases])
}

/**
 * The text with what stands between the marks of each name replaced.
 * @param {string} text
 * @param {Readonly<Record<string, string>>} tables
 */
export function insertTables(text, tables) {
  return Object.entries(tables).reduce((before, [name, lines]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
    const [from, to] = [before.indexOf(begin), before.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`the marks ${begin} and ${end} are missing`)
    return `${before.slice(0, from + begin.length)}\n\n${lines}\n\n${before.slice(to)}`
  }, text)
}

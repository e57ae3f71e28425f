// @ts-check
// The experiments about cost and agreement, which train nothing or only a few steps.
import { FOLDER, filesOf, large, readJson, rowOf, rowsOf, size, small } from './read.mjs'

/** @typedef {import('./sections.mjs').Section} Section */

const SHOWN_ROLES = [1, 12, 100, 1000, 10_000]

/** @returns {Section} */
function numbers() {
  const rows = rowsOf('cost')
  const variants = [...new Set(rows.map(({ variant }) => variant))]
  const head = [
    '',
    ...SHOWN_ROLES.map((roles) => `${roles} ${roles === 1 ? 'role' : 'roles'}`),
    'bytes written at 12',
  ]
  const cells = variants.map((variant) => [
    variant,
    ...SHOWN_ROLES.map((roles) => size(rowOf(rows, variant, roles), 'numbers')),
    size(rowOf(rows, variant, 12), 'writtenBytes'),
  ])
  /** @type {(variant: string) => string} */
  const last = (variant) => size(rowOf(rows, variant, 10_000), 'numbers')
  return {
    id: 'cost',
    title: 'What a role costs (the paper’s Figure 3)',
    question: 'How many numbers does each method train, and how large is its file, from 1 to 10,000 roles?',
    setting:
      'SmolLM2-135M, rank 8, all seven projections of 30 layers, without the two heads of HCL. By formula, float32; in the picture dots are files that were written and counted, which was done up to 70 MB.',
    command: 'python -m hycora_scale experiment cost',
    files: filesOf('cost'),
    table: [head, ...cells],
    picture: {
      name: 'cost',
      alt: 'Trained numbers and bytes over the number of roles, both logarithmic: tables rise in proportion, what is generated stays flat.',
    },
    answer: `What is generated stays flat: ${last('HyCoRA, k = 16')} numbers at 10,000 roles, where a table of A has ${last('table of A, shared B')} and a LoRA for each ${last('a LoRA for each role')}. Every file that was written holds exactly as many numbers as the formula says.`,
    overturn: 'A file whose count differs from the formula; a test compares them anew.',
  }
}

/** @returns {Section} */
function time() {
  const { rows } = readJson('roles.json')
  const head = [
    'roles',
    'seconds to make one role’s matrices',
    'seconds a step',
    '… with HCL',
    'peak memory',
    '… with HCL',
  ]
  const cells = rows.map((/** @type {any} */ row) => [
    `${row.roles}`,
    row.secondsToMakeARole.toFixed(4),
    row.step.off.processorSeconds.toFixed(3),
    row.step.table.processorSeconds.toFixed(3),
    large(row.step.off.peakBytes),
    large(row.step.table.peakBytes),
  ])
  return {
    id: 'time',
    title: 'What a role costs in time and memory',
    question: 'Does a training step or the making of a role get slower as roles are added?',
    setting:
      'SmolLM2’s matrices for the making; a step of the starter, 12 rows of 64 tokens of 12 roles, k = 64; one thread of a processor on which other work ran, medians, bytes.',
    command: 'scale/experiments/roles.py smollm2-135m-instruct starter RESULTS.json',
    files: [`${FOLDER}/roles.json`],
    table: [head, ...cells],
    answer:
      'Neither does, from 12 roles to 10,000: what a role adds is lost in the noise of the machine. In memory it is a few kilobytes.',
    overturn: 'The same on a quiet machine or a graphics card with a slope above its noise.',
  }
}

/** @returns {Section} */
function agreement() {
  const runs = readJson('agreement.json')
  const head = ['', 'steps', 'rows a step', 'tokens at most', 'furthest, relative']
  return {
    id: 'agreement',
    title: 'The page’s trainer and the twin',
    question: 'Do both trainers compute the same losses from the same batches?',
    setting:
      'The page’s kernels in Node and PyTorch, float32 on either side, the same data, seed and training file.',
    command: 'scale/experiments/agreement.py RESULTS.json',
    files: [`${FOLDER}/agreement.json`],
    table: [
      head,
      ...runs.map((/** @type {any} */ { backbone, config, furthest }) => [
        backbone,
        `${config.steps}`,
        `${config.batch}`,
        `${config.maxTokens}`,
        small(furthest),
      ]),
    ],
    answer: `They do: no loss differs by more than ${small(Math.max(...runs.map((/** @type {any} */ run) => run.furthest)))} of itself. So what the twin measures holds for the page’s trainer.`,
    overturn: 'A driver on which the two part; only software drivers were tried.',
  }
}

/** What a role says on a form, beside what it says on the file that ships. @param {any} form */
function told({ answer, sameLetters }) {
  if (answer === undefined) return '–'
  return sameLetters === null ? 'the same, to the letter' : `the same for ${sameLetters} letters`
}

/** @param {number | undefined | null} value */
const error = (value) => (typeof value === 'number' ? small(value) : '–')

/** @returns {Section} */
function weights() {
  const forms = Object.entries(readJson('forms.json'))
  const head = [
    'weights',
    'squared error against ONNX Runtime',
    '… with rows rounded as the file has it',
    '… against float32 weights',
    'what Holmes answers',
  ]
  const rounded = forms.map(([, form]) => form).filter(({ nmseUnrounded }) => nmseUnrounded)
  const errors = rounded.map(({ nmse }) => nmse)
  const range = `${Math.min(...errors).toFixed(2)} to ${Math.max(...errors).toFixed(2)}`
  return {
    id: 'weights',
    title: 'Weights in the forms of quantisers',
    question:
      'Do our kernels compute what ONNX Runtime computes from the same file, and does the shipped pack play on it?',
    setting:
      'SmolLM2’s logits in the forms that ONNX Runtime’s quantisers give it; squared errors relative to the logits. Sherlock Holmes, from the pack that ships, answers “Good evening! What have you been up to?” with the likeliest words.',
    command: 'scale/experiments/forms.py smollm2-135m-instruct RESULTS.json',
    files: [`${FOLDER}/forms.json`],
    table: [
      head,
      ...forms.map(([name, form]) => [
        name,
        error(form.nmseUnrounded ?? form.nmse),
        error(form.nmseUnrounded && form.nmse),
        error(form.nmseFromFloats),
        told(form),
      ]),
    ],
    answer: `They do, the likeliest 24 tokens are the same, and the pack plays on all that were tried: to the letter on most, in other words where 4 bits are rounded once more, and not in 2 bits, which leave no sentence of the model itself. Files of dynamic quantisation round rows to 8 bits at each product, which leads ${range} away from the same weights by unrounded rows and sometimes to another likeliest token; our kernels do not round them, and are held to ONNX Runtime where it does not either.`,
    overturn: 'A file in blocks whose greedy tokens differ.',
  }
}

/** @param {number} bytes */
const megabytes = (bytes) => (bytes * 1e-6).toFixed(0)

/** @returns {Section} */
function sizes() {
  const models = Object.entries(readJson('shapes.json'))
  const head = [
    'built like',
    'weights, MB',
    'ms to the first token',
    'JavaScript’s memory, MB',
    'on the device, MB',
    '… over the formula',
    'tokens/s',
  ]
  return {
    id: 'sizes',
    title: 'Models of real sizes',
    question:
      'Does a larger model come to the device in pieces, and take there what the page says before it is fetched?',
    setting:
      'Random models of the sizes of Qwen2.5-0.5B, Llama-3.2-1B, Qwen2.5-1.5B and Phi-3-mini in 4 bits, written as files; Node on llvmpipe, two processor cores that had other work, so that times say little. The device’s bytes are those of the longest chat. Answers have eight tokens, the largest model’s two.',
    command: 'scale/experiments/shapes.py RESULTS.json',
    files: [`${FOLDER}/shapes.json`],
    table: [
      head,
      ...models.map(([name, { rows }]) => {
        const [row] = rows
        return [
          name,
          megabytes(row.weightBytes),
          row.ours.toFixed(0),
          megabytes(row.scriptBytes),
          megabytes(row.graphicsBytes),
          row.bytesOverFormula.toFixed(2),
          row.tokensPerSecond.toPrecision(2),
        ]
      }),
    ],
    answer:
      'It does: JavaScript holds pieces of a few megabytes and what was not yet collected, far below the 300 MB that were allowed, and the formula is met within a tenth, which is what was asked of it.',
    overturn:
      'A model that takes a tenth more of a device than the page says, or a browser in which pieces pile up.',
  }
}

/** @returns {Section} */
function operations() {
  const { rows } = readJson('seconds.json')
  const head = ['', 'rows', 'tokens', 'operations', 'seconds', 'of a product’s rate']
  return {
    id: 'operations',
    title: 'What a step costs in operations',
    question: 'Does the plan’s formula of operations tell the time of a step?',
    setting:
      'Training steps of six sizes on one thread, float32, against the rate of one large matrix product on the same thread.',
    command: 'scale/experiments/seconds.py RESULTS.json',
    files: [`${FOLDER}/seconds.json`],
    table: [
      head,
      ...rows.map((/** @type {any} */ row) => [
        row.backbone,
        `${row.rows}`,
        `${row.tokens}`,
        large(row.operations),
        row.processorSeconds.toFixed(3),
        `${Math.round(100 * row.shareOfProductRate)} %`,
      ]),
    ],
    answer:
      'The larger the step, the closer: from half of the rate of a product to 85 %. The formula is thus a lower bound of the time, and no run of the size that it is meant for was measured.',
    overturn: 'A large step far below that rate.',
  }
}

/** @returns {readonly Section[]} */
export const costs = () => [numbers(), time(), agreement(), weights(), sizes(), operations()]

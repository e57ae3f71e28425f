// @ts-check
// A new role that is learnt from few replies.
import { figure, filesOf, rowsOf, size } from './read.mjs'

/** @typedef {import('./sections.mjs').Section} Section */
/** @typedef {import('./read.mjs').Row} Row */

const VECTOR = 'its vector alone'
const WHOLE = 'vector and all that is shared'
const OWN = 'a LoRA of its own'
const HEAD = [
  'replies',
  'what learns',
  'loss before',
  '… after 5 steps',
  '… after 40 steps',
  '… at the best stop',
  'of the others, before',
  '… after 40 steps',
  'trained numbers',
]
const FIGURES = ['before', 'after.5', 'after.40', 'best', 'others.before', 'others.after']

/** @param {Row} row */
const repliesOf = (row) => row.replies ?? 0

/** @param {readonly number[]} numbers */
const listed = (numbers) => `${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`

/** @returns {Section} */
export function newRole() {
  const rows = [...rowsOf('new-role')].toSorted((a, b) => repliesOf(a) - repliesOf(b))
  const counts = [...new Set(rows.map(repliesOf))]
  /** @type {(variant: string, replies: number | undefined, name: string) => string} */
  const of = (variant, replies, name) => {
    const row = rows.find((each) => each.variant === variant && each.replies === replies)
    if (!row) throw new Error(`no row ${variant}, ${replies} replies`)
    return figure(row, name, 3)
  }
  const [fewest, most] = [counts.at(0), counts.at(-1)]
  return {
    id: 'new-role',
    title: 'A new role from few replies',
    question:
      'How many replies of a new role does it take before a LoRA of its own is as good a pupil as a hyper-network that knows other roles?',
    setting: `The starter; one of the cast, Sun Wukong, is left out of one pass over the scenes of the eleven others (HyCoRA as in the first row of “What would tell roles apart”) and taught afterwards with ${listed(counts)} of his replies, drawn once, each the beginning of the next: by one vector of 64 numbers at a rate of 0.1, by this and all that roles share at 2e-4 (4e-4 for B), or by a LoRA on the bare starter at 5e-4 (1e-3 for B). Constant rates: a trial with another role had shown a third of the vector’s to be slow, and four and five times the others to ruin the loss within twenty steps; they were not tuned further. 40 steps of four rows, one seed. Loss in nats a token on the first 40 tokens of 24 of his held-out replies, measured after 5, 10, 20 and 40 steps; the best of these flatters all alike. The others’ is on two replies of each.`,
    command: 'python -m hycora_scale experiment new-role',
    files: filesOf('new-role'),
    table: [
      HEAD,
      ...rows.map((row) => [
        `${row.replies}`,
        row.variant,
        ...FIGURES.map((name) => figure(row, name, 3)),
        size(row, 'parameters'),
      ]),
    ],
    picture: { name: 'new-role', alt: 'Loss over the number of replies, for each of three ways to learn.' },
    answer: `More than ${most}, in 40 steps: with so many a LoRA comes to ${of(OWN, most, 'best')}, the vector alone to ${of(VECTOR, most, 'best')}, and vector and all that is shared to ${of(WHOLE, most, 'best')}; with 20 it is at ${of(OWN, 20, 'best')}, above the ${of(VECTOR, 20, 'before')} that the new role has before it is taught anything. Up to 10 replies the vector alone does at least as well as all (${of(VECTOR, fewest, 'best')} against ${of(WHOLE, fewest, 'best')} with ${fewest}) and leaves the others what they were; from 20 on all is better, but forgets them: theirs goes from ${of(WHOLE, 20, 'others.before')} to ${of(WHOLE, 20, 'others.after')} in 40 steps.`,
    overturn:
      'One LoRA of the eleven, taught further with the same replies: if it does as well, what helps is having learnt from others at all and not the hyper-network. Or other roles, rates and seeds, more steps (with 80 replies a LoRA was still learning at the last), or old replies among the new ones.',
  }
}

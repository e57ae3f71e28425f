// @ts-check
// Each experiment that was run, in words and in a table; every number of a table comes from a committed file.
import { trained } from './trained.mjs'
import { costs } from './costs.mjs'

/**
 * @typedef {{
 *   id: string,
 *   title: string,
 *   question: string,
 *   setting: string,
 *   command: string,
 *   files: readonly string[],
 *   table: readonly (readonly string[])[],
 *   picture?: { name: string, alt: string },
 *   answer: string,
 *   overturn: string,
 * }} Section `files` from the root; the first row of `table` is its head; a picture is drawn from the same files
 */

/** @returns {readonly Section[]} */
export const sections = () => [...trained(), ...costs()]

/** What the paper claims or leaves open and nobody here has measured. */
export const UNMEASURED = [
  'Preferences between answers (DPO, SimPO), and A of roles that are made orthogonal.',
  'The likelihood gap against the hardest of several roles, beside HCL, at other margins, over several passes, with three seeds and at 95 roles; generators that learn differences alone or more of them, likewise and at other weights, but for three passes of the latter with one seed.',
  'The paper’s tables on RoleBench: BLEU, ROUGE and a pairwise judge. Only the scores themselves are checked, against NLTK and `rouge` on 120 texts.',
  'Shared A with a table of B, and a generated B: only what they cost is known here.',
  'When HCL should start. It was tried from the first step, at one weight.',
  'Whether a new role gains from the hyper-network more than from one LoRA of all the others, and how with other roles, rates and seeds: one was learnt once.',
  'Whether a description alone makes a role. No claim on this page rests on it.',
  'Whether thousands of roles stay distinct; 95 is the most that was trained.',
  'Backbones above 135 million weights, Chinese, and any training on a graphics card.',
]

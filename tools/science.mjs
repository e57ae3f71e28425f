// @ts-check
// `node tools/science.mjs` writes docs/science.md, and what the page's "Science" shows, out of the committed results.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './install.mjs'
import { sections, UNMEASURED } from './science/sections.mjs'

/** @typedef {import('./science/sections.mjs').Section} Section */

const PICTURES = 'scale/experiments/results'

/** @param {readonly string[]} cells */
const rowOf = (cells) => `| ${cells.join(' | ')} |`

/** @param {Section} section */
function textOf({ title, question, setting, command, files, table, picture, answer, overturn }) {
  const [head = [], ...rows] = table
  return [
    `## ${title}`,
    `**Question.** ${question}`,
    `**Setting.** ${setting}`,
    [rowOf(head), `|${'---|'.repeat(head.length)}`, ...rows.map(rowOf)].join('\n'),
    ...(picture ? [`![${picture.alt}](../${PICTURES}/${picture.name}.svg)`] : []),
    `**Answer.** ${answer}`,
    `**What would overturn it.** ${overturn}`,
    `From ${files.map((file) => `[${file.slice(file.lastIndexOf('/') + 1)}](../${file})`).join(', ')}, made by \`${command}\`.`,
  ].join('\n\n')
}

/** docs/science.md, as its numbers are in the committed files. */
export function scienceText() {
  return `${[
    '# Does HyCoRA hold?',
    'What was measured of the paper’s claims here, one experiment a section. Every number comes from a committed file, through the command that is named; `node tools/science.mjs` writes this page, and a test looks every number of its tables up in the files. The page of the app that “The machine” leads to shows the same.',
    ...sections().map(textOf),
    '## What was not measured',
    UNMEASURED.map((line) => `- ${line}`).join('\n'),
  ].join('\n\n')}\n`
}

/** What the page shows: sections with tables and the names of their pictures, and what was not measured. */
export const scienceRecord = () => ({ sections: sections(), unmeasured: UNMEASURED })

if (process.argv[1] === join(root, 'tools/science.mjs')) {
  writeFileSync(join(root, 'docs/science.md'), scienceText())
  const record = `${JSON.stringify(scienceRecord(), undefined, 2)}\n`
  writeFileSync(join(root, 'app/science/experiments.json'), record)
}

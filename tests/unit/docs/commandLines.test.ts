import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { COMMAND_LINES, commandLinesIn, standsFor } from '../../support/commandLines.ts'
import { DOCUMENTS, root, textOf } from '../../support/documents.ts'

test.each(DOCUMENTS)('every command line of %s is executed by a test', (document) => {
  const named = commandLinesIn(textOf(document), document === 'docs/command-line.md')
  const known = COMMAND_LINES.filter((command) => command.document === document)
  const forgotten = named.filter((line) => known.every((command) => !standsFor(command.line, line)))
  const gone = known.filter(({ line }) => named.every((each) => !standsFor(line, each)))
  expect({ forgotten, gone }).toEqual({ forgotten: [], gone: [] })
})

test('what is executed elsewhere is executed in a file that is there', () => {
  const missing = COMMAND_LINES.filter(({ elsewhere }) => elsewhere && !existsSync(join(root, elsewhere)))
  expect(missing).toEqual([])
  expect(COMMAND_LINES.filter(({ elsewhere, runs }) => !elsewhere === !runs)).toEqual([])
})

test('command lines are told from other code', () => {
  const text =
    'Run `npm run new` or `hycora train --fast`, see `train` and `src/train`.\n\n    pip install it\n'
  expect(commandLinesIn(text, false)).toEqual(['pip install it', 'npm run new', 'hycora train --fast'])
})

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { check } from '../core/errors.ts'

const MANUAL = resolve(import.meta.dirname, '../../../../docs/command-line.md')

/** What the manual says of a command, or, without one, of them all. */
export async function help(command: string | undefined): Promise<string> {
  const manual = await readFile(MANUAL, 'utf8')
  const [introduction = '', ...sections] = manual.split(/^(?=## )/m)
  if (command === undefined) {
    const names = sections.map((section) => /^## (.+)/.exec(section)?.[1] ?? '')
    return `${introduction.trim()}\n\nIn the manual: ${names.join(', ')}. COMMAND --help prints what it says of one.\n`
  }
  const section = sections.find((one) => one.startsWith(`## ${command}\n`))
  check(section, 'usage', () => `the manual says nothing of "${command}"`)
  return `${section.trim()}\n`
}

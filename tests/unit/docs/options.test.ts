import { describe, expect, test } from 'vitest'

import { COMMANDS } from '../../../src/cli/commands.ts'
import { textOf } from '../../support/documents.ts'

const sections = textOf('docs/command-line.md')
  .split(/^(?=## )/m)
  .slice(1)
  .map((text) => ({ name: /^## (.+)/.exec(text)![1]!, text }))
const ofCommands = sections.filter(({ name }) => Object.hasOwn(COMMANDS, name))

/** The options that a section names as code; `--` alone ends options, and what another program takes is said with its name. */
function optionsIn(text: string): readonly string[] {
  const code = [...text.matchAll(/`([^`\n]+)`|^ {4}(\S.*)$/gm)].map(([, inline, block]) => inline ?? block!)
  const own = code.filter((words) => !/^(?:npm|node|python|accelerate|torchrun)\b/.test(words))
  return [...new Set(own.flatMap((words) => words.match(/--[a-z][a-z0-9-]*/g) ?? []))]
}

/** Whether a command knows an option: it splits its words before it does anything. */
async function isKnown(command: string, option: string): Promise<boolean> {
  const words = [option, 'value', '--no-such-option']
  const error: unknown = await COMMANDS[command]!(words).catch((thrown: unknown) => thrown)
  return String(error).includes('--no-such-option')
}

test('the manual has a section on every command', () => {
  expect(ofCommands.map(({ name }) => name).toSorted()).toEqual(Object.keys(COMMANDS).toSorted())
})

describe.each(ofCommands)('$name', ({ name, text }) => {
  test('takes every option that the manual gives it', async () => {
    const options = optionsIn(text)
    const known = await Promise.all(options.map((option) => isKnown(name, option)))
    expect(options.filter((_, index) => !known[index])).toEqual([])
  })
})

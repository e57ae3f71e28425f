import { readFileSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** What the project says of itself, from the repository's root. */
export const DOCUMENTS: readonly string[] = [
  'README.md',
  ...readdirSync(resolve(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'scale/README.md',
  'shaders/README.md',
  'data/cast/README.md',
  'public/models/smollm2-135m-instruct/README.md',
]

export function textOf(path: string): string {
  return readFileSync(resolve(root, path), 'utf8')
}

/** What stands between backticks within lines, and the lines of indented blocks. */
export function codeOf(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^ {4}(\S.*)$/gm)].map(([, line]) => line!)
  return [...blocks, ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)]
}

/** A word with `{a,b}` in it as all the words that it stands for. */
export function expandBraces(word: string): readonly string[] {
  const [, before = '', inside = '', behind = ''] = /^(.*?)\{([^{}]*)\}(.*)$/.exec(word) ?? []
  return inside === '' ? [word] : inside.split(',').flatMap((part) => expandBraces(before + part + behind))
}

import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { codeOf, DOCUMENTS, expandBraces, root, textOf } from '../../support/documents.ts'

/** Folders of the repository that paths in the documents begin with. */
const FOLDERS = ['app', 'data', 'docs', 'public', 'scale', 'shaders', 'src', 'tests', 'tools']

/** Names that stand for any. */
const PLACEHOLDER = /NAME|DIR\b|<|\*|…|\.\.\./

/** Paths from the root that a document names as code. */
function pathsIn(text: string): readonly string[] {
  const words = codeOf(text).flatMap((code) => code.split(/[\s=,;()[\]|]+(?![^{]*\})/))
  const begin = new RegExp(`^(?:${FOLDERS.join('|')})/[\\w{}.,/-]+$`)
  return words.filter((word) => begin.test(word) && !PLACEHOLDER.test(word)).flatMap(expandBraces)
}

const FILES = [
  ...readdirSync(root),
  ...FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
      `${folder}/${path}`.replaceAll('\\', '/'),
    ),
  ),
]

/** Files that a document names as code, wherever they lie. */
function namesIn(text: string): readonly string[] {
  const words = codeOf(text).flatMap((code) => code.split(/[\s=,;()[\]|]+(?![^{]*\})/))
  const begin = /^[\w{}.,/-]*\w\}?\.(?:tsx?|mjs|py|wgsl|css|html)$/
  return words.filter((word) => begin.test(word) && !PLACEHOLDER.test(word)).flatMap(expandBraces)
}

function isSomewhere(name: string): boolean {
  return FILES.some((path) => path === name || path.endsWith(`/${name}`))
}

/** Targets of links within the repository. */
function linksIn(text: string): readonly string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!.split('#')[0]!)
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
}

/** Where a document may mean a path to begin: at the root, or, of the twin's own, in its folder. */
function isThere(path: string, document: string): boolean {
  return [root, resolve(root, dirname(document))].some((from) => existsSync(join(from, path)))
}

describe.each(DOCUMENTS)('%s', (document) => {
  const text = textOf(document)

  test('names files and folders that are there', () => {
    expect(pathsIn(text).filter((path) => !isThere(path, document))).toEqual([])
  })

  test('names no file of code that lies nowhere', () => {
    expect(namesIn(text).filter((name) => !isSomewhere(name))).toEqual([])
  })

  test('links to what is there', () => {
    const missing = linksIn(text).filter((path) => !existsSync(resolve(root, dirname(document), path)))
    expect(missing).toEqual([])
  })
})

test('a path that is not there is found out', () => {
  const text = 'See `src/core/nothing.ts`, `src/{core,cast}/`, [this](docs/none.md) and `src/NAME.ts`.'
  expect(pathsIn(text).filter((path) => !isThere(path, 'README.md'))).toEqual(['src/core/nothing.ts'])
  expect(linksIn(text)).toEqual(['docs/none.md'])
  const named = namesIn('Not `nothing.ts`, but `random.ts`, `{random,none}.ts` and `NAME.ts`.')
  expect(named.filter((name) => !isSomewhere(name))).toEqual(['nothing.ts', 'none.ts'])
})

import { expect, test } from 'vitest'

import { droppedFiles } from '../../../app/shared/droppedFiles.ts'
import { MOST_FILES } from '../../../src/core/fewFiles.ts'

/** An entry of a drop as a browser gives it. */
interface Entry {
  readonly isFile: boolean
  readonly isDirectory: boolean
  readonly fullPath: string
}

const fileAt = (fullPath: string): Entry => {
  const file = (give: (file: File) => void): void => give(new File(['x'], fullPath))
  return Object.assign({ isFile: true, isDirectory: false, fullPath }, { file })
}

/** A folder whose entries are read a hundred at a time, as Chromium does. */
const folderAt = (fullPath: string, entries: readonly Entry[]): Entry => {
  const createReader = () => {
    const left = [...entries]
    return { readEntries: (give: (part: readonly Entry[]) => void) => give(left.splice(0, 100)) }
  }
  return Object.assign({ isFile: false, isDirectory: true, fullPath }, { createReader })
}

const drop = (entries: readonly Entry[]): DataTransfer =>
  ({
    items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })),
    files: [],
  }) as unknown as DataTransfer

test('a drop is its files and those within its folders, under their paths', async () => {
  const files = await droppedFiles(
    drop([fileAt('/a.json'), folderAt('/b', [folderAt('/b/c', [fileAt('/b/c/d.txt')])])]),
  )
  expect(files.map(({ path }) => path)).toEqual(['a.json', 'b/c/d.txt'])
})

test('of a folder too large to be read there is one file more than may come in, so that it is refused', async () => {
  const many = Array.from({ length: MOST_FILES + 100 }, (_, index) => fileAt(`/many/${index}`))
  expect(await droppedFiles(drop([folderAt('/many', many), fileAt('/z')]))).toHaveLength(MOST_FILES + 1)
})

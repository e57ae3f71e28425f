import type { Split } from '../../core/dialogue.ts'

/** What a word in a file's name says; the short ones may be somebody's name as well. */
type Word = 'train' | 'held' | 'short'

const HELD = 'test(?:ing)?|valid(?:ation)?|eval(?:uation)?|held[ _.-]?out|hold[ _.-]?out'
const SIDE = new RegExp(
  `(?<![a-z])(?:(?<train>train(?:ing)?)|(?<held>${HELD})|val|dev(?:el(?:opment)?)?)(?:set|data|split)?(?![a-z])`,
  'g',
)

/** How many folders are around all of the files. */
function sharedFolders(paths: readonly (readonly string[])[]): number {
  const [first = []] = paths
  const folders = first.slice(0, -1)
  const parted = folders.findIndex((folder, at) =>
    paths.some((path) => path[at] !== folder || path.length < at + 2),
  )
  return parted < 0 ? folders.length : parted
}

/** The last word for a side in a path, of the file's own name before its folders': `roles-train.csv`, `test/a.jsonl`. */
function wordOf(path: readonly string[]): Word | undefined {
  for (const name of path.toReversed()) {
    const words = name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
    const found = [...words.matchAll(SIDE)].at(-1)?.groups
    if (found)
      return found['train'] === undefined ? (found['held'] === undefined ? 'short' : 'held') : 'train'
  }
  return undefined
}

/**
 * The sides that files are on by their names, as `train.jsonl` beside `validation.jsonl`: of rows that do not say it
 * themselves. What all of them are called says nothing, and neither do `val` and `dev`, which may be names, where no file is
 * called after `train`.
 */
export function fileSides(paths: readonly string[]): readonly (Split | undefined)[] {
  const names = paths.map((path) => path.split('/'))
  const shared = sharedFolders(names)
  const words = names.map((path) => wordOf(path.slice(shared)))
  const isNamed = words.includes('train')
  const sides = words.map((word): Split | undefined => {
    if (word === 'train') return 'train'
    return word === 'held' || (word === 'short' && isNamed) ? 'test' : undefined
  })
  const isHeld = sides.includes('test') && !sides.every((side) => side === 'test')
  return isHeld ? sides : paths.map(() => undefined)
}

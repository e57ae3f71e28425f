import type { DatasetOptions, DialogueCollector } from './reading.ts'
import { addScenes } from './scenes.ts'
import type { SceneLine } from './scenes.ts'
import { isTooLong, textLines } from './textRows.ts'
import { keptName, sideOf, withoutUnseen } from './words.ts'

const DATE = String.raw`(?:\d{1,4}(?:[./-]|\. |년 )\s?(?:\d{1,2}|\p{L}{3,9})(?:[./-]|\. |월 )\s?\d{1,4}[.일]?|\p{L}{3,9} \d{1,2},? \d{4})`
const TIME = String.raw`(?:\p{L}{2} )?\d{1,2}[:.h]\d{2}(?:[:.]\d{2})?(?:[\s\u202f]?[ap]\.?\s?m\.?)?`
const BOTH = String.raw`(?:${DATE},?\s+(?:\p{L}{2} )?)?${TIME}`

/** How messengers and their exporters stamp a line: in brackets, before a dash, a tab or a comma, or behind a name. */
const STAMPS: readonly RegExp[] = [
  new RegExp(String.raw`^\[(?:${BOTH}|${DATE})\]\s*(?:-\s*)?(?<rest>.*)$`, 'iu'),
  new RegExp(String.raw`^${BOTH}\s+[-–]\s+(?<rest>.*)$`, 'iu'),
  new RegExp(String.raw`^${DATE},?\s+${TIME},\s+(?<rest>.*)$`, 'iu'),
  new RegExp(String.raw`^${TIME}\t(?<name>[^\t]{1,60})\t(?<text>.*)$`, 'iu'),
  new RegExp(String.raw`^\[(?<name>[^\]]{1,60})\]\s*\[${BOTH}\]\s*(?<text>.*)$`, 'iu'),
  new RegExp(String.raw`^${BOTH}\s+(?<rest><[^<>]{1,40}>\s.*)$`, 'iu'),
  new RegExp(String.raw`^(?<header>[^:[\]]{1,60}), \[${BOTH}\]\s*$`, 'iu'),
]

/** What a stamp stands before: somebody's words, a name over words that follow, or the program's own. */
type Stamped =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly text: null }
  | { readonly name: null; readonly text: string }

function readStamped(row: string): Stamped | undefined {
  const plain = row.replace(/^[\s\p{Cf}]+/u, '')
  for (const stamp of STAMPS) {
    const found = stamp.exec(plain)?.groups
    if (!found) continue
    const { name, text = '', header, rest = '' } = found
    if (header !== undefined) return { name: keptName(header), text: null }
    if (name !== undefined) return { name: keptName(name), text }
    const [, angled, colon, said = ''] =
      /^(?:<([^<>]{1,40})>|([^:：]{1,60}?)\s*[:：])(?:\s|$)(.*)$/u.exec(rest) ?? []
    const who = angled ?? colon
    return who === undefined ? { name: null, text: rest } : { name: keptName(who), text: said }
  }
  return undefined
}

/** Rows that are looked at to tell what a text is, and the share of them that stamps begin. */
const LOOKED_AT = 60
const STAMPED = 0.3

/** Whether a text is the export of a messenger: many of its lines begin with a time. */
export function isStamped(text: string): boolean {
  let [looked, stamped] = [0, 0]
  for (const row of textLines(text)) {
    if (!isTooLong(row.text) && readStamped(row.text.slice(0, 400))) stamped++
    if (++looked >= LOOKED_AT) break
  }
  return stamped > 1 && stamped >= STAMPED * looked
}

/** What programs write in place of a picture, a call or a message that was taken back. */
function isProgrammed(text: string): boolean {
  return text.startsWith('\u200e') || /^<[^<>]+>$/.test(withoutUnseen(text).trim())
}

/**
 * Reads a messenger's export: lines that a time begins, with who wrote them; others belong to the message before. What the
 * program says by itself is left out, and counted.
 *
 * @throws HycoraError `format-invalid` when more than 32 people speak.
 */
export function addStamped(
  text: string,
  { roleName }: DatasetOptions,
  fileName: string,
  into: DialogueCollector,
): void {
  const lines: SceneLine[] = []
  const rows = [...textLines(text)].map(({ line, text: row }) => ({ line, row, stamped: readStamped(row) }))
  const named = rows.filter(({ stamped }) => stamped && stamped.name !== null).length
  const services = rows.filter(({ stamped }) => stamped && stamped.name === null).length
  // Where hardly a stamped line has a colon, what stands behind the stamp is the name.
  const isHeaded = services > named
  let left = 0
  let isOpen = false
  for (const { line, row, stamped } of rows) {
    const last = lines.at(-1)
    if (!stamped) {
      const isFirst = isOpen && last?.text === ''
      if (isOpen && last)
        lines[lines.length - 1] = { ...last, text: isFirst ? row : `${String(last.text)}\n${row.trim()}` }
      else left++
      continue
    }
    const name = stamped.name ?? (isHeaded ? keptName(stamped.text) : null)
    const said = stamped.name === null || stamped.text === null ? '' : stamped.text
    const isHeader = stamped.text === null || (stamped.name === null && isHeaded)
    isOpen = name !== null && (isHeader || !isProgrammed(said))
    if (name === null || !isOpen) left++
    else lines.push(lineOf(name, said.replace(/\u200e<[^<>\n]+>\s*$/u, ''), line))
  }
  if (left > 0)
    into.tell(
      `Left out of the messenger’s export: ${left === 1 ? 'one line' : `${left} lines`} of the program’s own.`,
    )
  const written = lines.filter((one) => String(one.text).trim() !== '')
  addScenes([{ lines: written }], roleName, fileName, into)
}

function lineOf(name: string, text: string, line: number): SceneLine {
  const isVisitor = sideOf(name) === 'visitor'
  return { by: isVisitor ? 'visitor' : 'named', name: isVisitor ? '' : name, text, line }
}

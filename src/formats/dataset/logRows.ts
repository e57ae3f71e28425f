import { isJsonRecord } from '../../core/json.ts'
import type { Fields } from './fields.ts'
import type { DatasetFormat, DatasetOptions, DialogueCollector } from './reading.ts'
import { addScenes } from './scenes.ts'
import type { ScriptScene, SceneLine } from './scenes.ts'
import { turnLine } from './turns.ts'

/** Columns that tell scenes apart; where their values change, another begins. */
const SCENES = (
  'conversation_id conversation dialogue_id dialog_id chat_id chat scene_id scene thread_id ' +
  'thread session_id session season episode chapter act channel_id'
).split(' ')

/** What stands beside the lines of a log and is nothing to learn. */
const ABOUT = [
  'id',
  'type',
  'date',
  'date_unixtime',
  'timestamp',
  'timestamp_ms',
  'ts',
  'from_id',
  'author_id',
]

/** The rows of a file that are one line each; they become dialogues when all of them are there. */
export class LogRows {
  private readonly lines: { readonly key: string; readonly split: unknown; readonly line: SceneLine }[] = []
  private readonly times: number[] = []
  private readonly into: DialogueCollector
  private readonly fileName: string

  constructor(into: DialogueCollector, fileName: string) {
    this.into = into
    this.fileName = fileName
  }

  /** Takes a line, or rejects it with its reason. */
  take(fields: Fields, line: number, split: unknown): DatasetFormat | undefined {
    const key = JSON.stringify([split, ...SCENES.map((name) => keyPart(fields, name))])
    const time = fields.get('timestamp_ms')
    const found = turnLine(fields, line)
    for (const name of ABOUT) fields.get(name)
    if (typeof found === 'string') this.into.reject(line, `it ${found}`)
    else if (typeof found.text !== 'string' || found.text.trim() === '')
      this.into.reject(line, 'it has no text')
    else {
      const text = fields.has('sender_name') ? mended(found.text) : found.text
      this.lines.push({ key, split, line: { ...found, text } })
      if (typeof time === 'number') this.times.push(time)
      return 'log'
    }
    return undefined
  }

  /** Makes dialogues of the lines; a log of one speaker's lines alone is that many greetings. */
  finish({ roleName }: DatasetOptions): void {
    if (this.lines.length === 0) return
    const isNewestFirst =
      this.times.length === this.lines.length && (this.times[0] ?? 0) > (this.times.at(-1) ?? 0)
    const lines = isNewestFirst ? this.lines.toReversed() : this.lines
    const isMonologue = new Set(lines.map(({ line: { by, name } }) => `${by} ${name}`)).size === 1
    const scenes: { key: string; split: unknown; lines: SceneLine[] }[] = []
    for (const { key, split, line } of lines) {
      const last = scenes.at(-1)
      if (last?.key === key && !isMonologue) last.lines.push(line)
      else scenes.push({ key, split, lines: [line] })
    }
    addScenes(scenes satisfies readonly ScriptScene[], roleName, this.fileName, this.into)
  }
}

function keyPart(fields: Fields, name: string): unknown {
  const value = fields.peek(name)
  return value === undefined || Array.isArray(value) || isJsonRecord(value) ? null : fields.get(name)
}

/** A text of Facebook's exports, whose UTF-8 stands there byte by byte as Latin-1. */
function mended(text: string): string {
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0))
  if (!/[\u0080-\u00ff]/.test(text) || Array.from(text).some((letter) => letter > '\u00ff')) return text
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return text
  }
}

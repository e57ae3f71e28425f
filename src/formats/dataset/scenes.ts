import { check } from '../../core/errors.ts'
import type { DialogueCollector, RawTurn } from './reading.ts'

/** What somebody says in a scene: the visitor, the character that the text is about, someone by name, or the system. */
export interface SceneLine {
  readonly by: 'visitor' | 'character' | 'named' | 'system'
  /** Empty where only the side is known. */
  readonly name: string
  readonly text: unknown
  readonly line: number
  /** Of somebody by name: whether the line is marked as a model's, and so is learnt, whoever else speaks. */
  readonly isOwn?: boolean
  readonly isLearnt?: false
}

/** Lines that belong together, and what is said of them all. */
export interface ScriptScene {
  readonly lines: readonly SceneLine[]
  readonly split?: unknown
  readonly item?: string | undefined
}

const MAX_SPEAKERS = 32
/** A long scene is cut into dialogues of so many exchanges. */
const MAX_EXCHANGES = 5

interface Cast {
  readonly names: ReadonlySet<string>
  /** The visitors that have a name. */
  readonly visitors: ReadonlySet<string>
  readonly hasVisitor: boolean
  /** Who the `character` is. */
  readonly character: string | undefined
  readonly learners: readonly (string | undefined)[]
}

/**
 * Makes dialogues of scenes, once for every character in them: the character's own lines are replies, all others' are said
 * to them.
 *
 * @param role who the `character` is, and the only one to learn where the scene has them.
 * @param isWhole whether each scene is one dialogue, however long it is.
 * @throws HycoraError `format-invalid` when more than 32 people speak.
 */
export function addScenes(
  scenes: readonly ScriptScene[],
  role: string | undefined,
  fileName: string,
  into: DialogueCollector,
  isWhole = false,
): void {
  const cast = castOf(
    scenes.flatMap(({ lines }) => lines),
    role,
    fileName,
  )
  const unheard = [...cast.names].filter((name) => !cast.learners.includes(name))
  const learners = cast.learners.filter((name) => name !== undefined)
  const others = cast.hasVisitor ? unheard : unheard.slice(1)
  if (others.length > 0 && learners.length > 0) {
    into.tell(`Of those who speak only ${learners.join(', ')} learns; ${others.join(', ')} is listened to.`)
  }
  const before = into.dialogues.length + into.rejected.length
  for (const scene of scenes) for (const name of cast.learners) addScene(scene, name, cast, into, isWhole)
  const [first] = scenes.flatMap(({ lines }) => lines)
  if (first && into.dialogues.length + into.rejected.length === before)
    into.reject(first.line, 'it has no reply of the character')
}

function castOf(lines: readonly SceneLine[], role: string | undefined, fileName: string): Cast {
  const names = new Set<string>()
  const own = new Set<string>()
  const visitors = new Set<string>()
  let [hasVisitor, hasCharacter] = [false, false]
  for (const { by, name, isOwn } of lines) {
    if (by === 'visitor') hasVisitor = true
    if (by === 'visitor' && name !== '') visitors.add(name)
    if (by === 'character') hasCharacter = true
    if (by === 'named') names.add(name)
    if (isOwn) own.add(name)
    check(names.size <= MAX_SPEAKERS, 'format-invalid', () => {
      return `${fileName}: more than ${MAX_SPEAKERS} names speak, expected a dialogue as "Name: line"`
    })
  }
  const same = [...names].find((name) => name.toLowerCase() === role?.toLowerCase())
  const character = same ?? role
  const cast = { names, visitors, hasVisitor, character }
  if (own.size > 0) return { ...cast, learners: [...new Set([...own, ...(hasCharacter ? [character] : [])])] }
  if (hasCharacter || same !== undefined) return { ...cast, learners: [character] }
  // Where nobody is marked as the visitor, whoever speaks first is.
  return { ...cast, learners: [...names].slice(hasVisitor || names.size < 2 ? 0 : 1) }
}

/** Whose a line is; null for the visitor's and the system's. */
function speakerOf({ by, name }: SceneLine, { character }: Cast): string | null {
  if (by === 'character') return character ?? ''
  return by === 'named' ? name : null
}

function addScene(
  { lines, split, item }: ScriptScene,
  role: string | undefined,
  cast: Cast,
  into: DialogueCollector,
  isWhole: boolean,
): void {
  const { names, visitors, hasVisitor } = cast
  const isCrowd = names.size - (role !== undefined && names.has(role) ? 1 : 0) + Number(hasVisitor) > 1
  let turns: RawTurn[] = []
  let line = 0
  let exchanges = 0
  const finish = (): void => {
    if (turns.some(({ speaker }) => speaker === 'role')) into.add({ line, role, split, item }, turns)
    turns = []
    exchanges = 0
  }
  for (const spoken of lines) {
    const who = speakerOf(spoken, cast)
    const isRole = who !== null && who === (role ?? '')
    const wasRole = turns.at(-1)?.speaker === 'role'
    if (wasRole && !isRole && ++exchanges >= MAX_EXCHANGES && !isWhole) finish()
    if (turns.length === 0) line = spoken.line
    const isNamed = !isRole && (who === null ? visitors.size > 1 && spoken.name !== '' : isCrowd)
    const text =
      isNamed && typeof spoken.text === 'string' ? `${who ?? spoken.name}: ${spoken.text}` : spoken.text
    const mark = spoken.isLearnt === false ? { isLearnt: false as const } : {}
    turns.push({ speaker: spoken.by === 'system' ? 'system' : isRole ? 'role' : 'user', text, ...mark })
  }
  finish()
}

import type { Script, ScriptReport } from '../core/script.ts'
import type { PackFile } from '../formats/packFacts.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import { HycoraError } from '../core/errors.ts'
import { blobSource } from '../formats/blobSource.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import { codecOf, comparePack, openAnyModel } from '../model/chatModel.ts'
import type { ChatModel, UnknownModel } from '../model/chatModel.ts'
import { castBlend, castRole } from '../model/adapter/roles.ts'
import { blobFiles } from './blobFiles.ts'
import { openExportedPath, openPath } from './openPath.ts'
import type { OpenedPath, PathRequest } from './openPath.ts'
import { openPackShelf } from './packShelf.ts'
import type { PackShelf } from './packShelf.ts'
import { remindersOf, roleOf, withReminders } from './reminders.ts'
import type { Scene } from './scene.ts'
import type { Cue, Voice } from './speak.ts'

/** Everything that one answer needs, on one path. */
export interface Stage extends Voice, Pick<OpenedPath, 'device' | 'computing'> {
  readonly model: ChatModel | UnknownModel
  readonly pack: Pack | null
  /** The packs of whoever plays beside its roles. */
  readonly shelf: PackShelf
  /** One sentence each, for example that a pack applies without a fingerprint to compare. */
  readonly warnings: readonly string[]
}

/** A backbone and a pack to be opened. */
export interface StageFiles {
  readonly name: string
  /** The backbone's folder: relative path → file. */
  readonly files: ReadonlyMap<string, Blob>
  /** The ONNX file; left out where there is one that is obvious. */
  readonly model?: string
  /** A persona pack, checked whole before anything of it is used. */
  readonly pack: PackFile | null
}

/**
 * Opens a backbone and a pack on one of the paths: everything is checked first, then the weights go over.
 *
 * @throws HycoraError naming the file and the fault, or what the device lacks.
 */
export async function setStage(
  { name, files, model: modelFile, pack: packFile }: StageFiles,
  request: Omit<PathRequest, 'decoder' | 'pack'>,
): Promise<Stage> {
  request.emit({ stage: 'read', doneBytes: 0, totalBytes: 0 })
  const listing = [...files.keys()]
  const model = await openAnyModel(blobFiles(files), { listing, ...(modelFile && { model: modelFile }) })
  codecOf(model, name)
  const pack = packFile && (await readPack(blobSource(packFile.name, packFile.file)))
  const warning = pack && comparePack(pack, model, name)
  const { device, backbone, computing } =
    'decoder' in model
      ? await openPath({ ...request, decoder: model.decoder, pack })
      : await openExportedPath(model, { ...request, pack })
  const shelf = openPackShelf({ backbone, model, name, pack })
  return { name, device, backbone, computing, model, pack, shelf, warnings: warning ? [warning] : [] }
}

/** Who plays in a scene, their pack attached; null for the bare backbone. */
export async function castScene({ shelf }: Stage, scene: Scene): Promise<Casting | null> {
  const isBare = scene.role === null && !scene.blend
  if (isBare || scene.strength === 0) return null
  const pack = await shelf.attach(scene.pack)
  if (!pack) throw new HycoraError('usage', `there is no persona pack, so nobody plays ${scene.role}`)
  return scene.blend
    ? castBlend(pack, scene.blend, scene.strength)
    : castRole(pack, scene.role ?? '', scene.strength)
}

/** What is told before a scene: its own system text and script, else the line that its role was trained behind, and its book. */
async function toldIn({ shelf }: Stage, scene: Scene): Promise<Pick<Told, 'system' | 'script'>> {
  const { system, role, script } = scene
  if (system !== undefined || role === null) return { system: system ?? null, script }
  const pack = await shelf.open(scene.pack)
  const reminders = remindersOf(pack?.roles.find(({ name }) => name === role))
  return { system: pack && roleLineOf(pack, role), script: withReminders(script, reminders) }
}

/** What is to be answered, and what came of the script. */
export interface SceneCue extends Cue {
  readonly report: ScriptReport
}

/** A chat, and what is told beside it. */
export interface Told extends Pick<Scene, 'turns' | 'continueLast'> {
  readonly system: string | null
  readonly script?: Script | undefined
}

const NOTHING_TOLD: ScriptReport = { fired: [], passed: [], notes: [] }

/** A line, and what else is told beside it, as a cue; what puts scripts together comes when it is used. @throws HycoraError as `codecOf`. */
export async function cueWith(
  { model, name, backbone }: Voice,
  { system, turns, continueLast, script }: Told,
): Promise<SceneCue> {
  if (!script) return { system, turns, continueLast, report: NOTHING_TOLD }
  const { tokenizer } = codecOf(model, name)
  const { context } = backbone
  const { composeScript } = await import('./composeScript.ts')
  const composed = composeScript(script, { tokenizer, context, system, turns, continueLast })
  return { turns, continueLast, ...composed }
}

/** What is to be answered as whoever of a pack plays, who is reminded of what their weights learnt. @throws HycoraError as `codecOf`. */
export function cueAs(
  voice: Voice,
  { pack, casting }: { readonly pack: Pick<Pack, 'roles'> | null; readonly casting: Casting | null },
  told: Told,
): Promise<SceneCue> {
  const reminders = remindersOf(roleOf(pack, casting))
  return cueWith(voice, { ...told, script: withReminders(told.script, reminders) })
}

/** What is to be answered in a scene. */
export async function cueOf(stage: Stage, scene: Scene): Promise<SceneCue> {
  return cueWith(stage, { ...scene, ...(await toldIn(stage, scene)) })
}

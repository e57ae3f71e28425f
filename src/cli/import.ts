import { openAsBlob } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'

import { isForAnotherModel } from '../cast/member.ts'
import { check, HycoraError } from '../core/errors.ts'
import { arrive } from '../exchange/arrive.ts'
import type { ArrivalOptions } from '../exchange/arrive.ts'
import type { Arrival, ArrivingBackbone, ArrivingFile, PackArrival } from '../exchange/arrival.ts'
import { kindByStart, START_BYTES } from '../exchange/fileKind.ts'
import { LIMITS } from '../exchange/limits.ts'
import { openFile } from '../exchange/openFile.ts'
import { ADAPTER_CONFIG, isAdapterFile } from '../exchange/parcels.ts'
import { numberOption, parseArguments, required } from './arguments.ts'
import { writeOut } from './convert.ts'
import { openModel } from './engine.ts'

type Options = ReadonlyMap<string, string>

/** What `--backbone` says, for the pack to be bound to it; null without the option. */
async function namedBackbone(options: Options): Promise<ArrivingBackbone | null> {
  if (!options.has('backbone')) return null
  const { name, model } = await openModel(options)
  const { architecture, layers, hidden } = model.decoder
  return { name, architecture, layers, hidden, fingerprint: model.fingerprint }
}

/** A file, or the files of a folder that are an adapter, as the page would get them. */
export async function arrivingFiles(path: string): Promise<readonly ArrivingFile[]> {
  const full = resolve(path)
  const found = await stat(full).catch(() => undefined)
  check(found, 'usage', () => `${path} is no file and no folder`)
  if (!found.isDirectory()) return [{ path: basename(full), file: await openAsBlob(full) }]
  const folder = await adapterFolder(full, path)
  const names = (await readdir(folder)).filter(isAdapterFile)
  return Promise.all(
    names.map(async (name) => ({
      path: `${basename(folder)}/${name}`,
      file: await openAsBlob(join(folder, name)),
    })),
  )
}

/** The folder itself, or those within it, that have an adapter's configuration: PEFT saves one with a name in a folder of it. */
export async function adapterFolders(full: string): Promise<readonly string[]> {
  const entries = await readdir(full, { withFileTypes: true }).catch(() => [])
  if (entries.some(({ name }) => name === ADAPTER_CONFIG)) return [full]
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(full, name))
  const contents = await Promise.all(folders.map((folder) => readdir(folder).catch((): string[] => [])))
  return folders.filter((_, index) => contents[index]?.includes(ADAPTER_CONFIG))
}

async function adapterFolder(full: string, path: string): Promise<string> {
  const [first, ...others] = await adapterFolders(full)
  check(others.length === 0, 'usage', () => {
    const found = [first ?? '', ...others].map((folder) => basename(folder)).join(', ')
    return `${path} holds several adapters: ${found}; name one of them`
  })
  if (first !== undefined) return first
  const weights = (await readdir(full)).filter(isAdapterFile).join(', ')
  const has = weights === '' ? '' : `, only ${weights}, and how these are scaled is written there`
  throw new HycoraError('usage', `${path} is no folder of an adapter: it has no ${ADAPTER_CONFIG}${has}`)
}

/** Whether a checkpoint of the authors' trainer came, which takes to be told what it holds. */
async function isCheckpoint([first, ...others]: readonly ArrivingFile[]): Promise<boolean> {
  if (!first || others.length > 0 || first.file.size > LIMITS.fileBytes) return false
  const start = new Uint8Array(await first.file.slice(0, START_BYTES).arrayBuffer())
  if (kindByStart(start) !== 'safetensors') return false
  const opened = await openFile(new Uint8Array(await first.file.arrayBuffer()), first.path)
  return opened.kind === 'safetensors' && opened.isCheckpoint
}

async function arrivalOptions(files: readonly ArrivingFile[], options: Options): Promise<ArrivalOptions> {
  const [name, system] = [options.get('role'), options.get('system')]
  const role = { ...(name !== undefined && { name }), ...(system !== undefined && { system }) }
  const backbone = await namedBackbone(options)
  if (!(await isCheckpoint(files))) return { backbone, role }
  for (const option of ['rank', 'alpha', 'roles']) {
    check(options.has(option), 'usage', () => {
      return `${files[0]?.path} is not a persona pack; as a checkpoint of the authors' trainer it needs --rank, --alpha and --roles`
    })
  }
  const checkpoint = {
    rank: numberOption(options, 'rank', NaN),
    alpha: numberOption(options, 'alpha', NaN),
    roles: required(options, 'roles')
      .split(',')
      .map((one) => one.trim()),
  }
  return { backbone, role, checkpoint }
}

/** A pack that says by fingerprint for which backbone it is cannot be bound to another. */
function expectBackbone({ fileName, backbone: made }: PackArrival, named: ArrivingBackbone | null): void {
  check(!isForAnotherModel(made, named), 'model-incompatible', () => {
    return `${fileName} is made for ${made.name || 'another backbone'} (fingerprint ${made.fingerprint.slice(0, 16)}…), not for ${named?.name} (${named?.fingerprint.slice(0, 16)}…)`
  })
}

/** The pack of what came in. @throws HycoraError `format-unsupported` for what is none and becomes none. */
function packOf(arrival: Arrival): Blob {
  switch (arrival.kind) {
    case 'pack':
      return arrival.file
    case 'card':
      throw new HycoraError(
        'format-unsupported',
        `${arrival.fileName} is a character card without an adapter; open it in the page, where it plays by its text`,
      )
    case 'backup':
    case 'chat':
    case 'lines':
    case 'lore':
    case 'group':
      throw new HycoraError(
        'format-unsupported',
        `${arrival.fileName} is none of the files that are imported: a persona pack, a CHARX, a PEFT folder, a checkpoint`,
      )
  }
}

/** `import`: another program's file as a persona pack. */
export async function importFile(words: readonly string[]): Promise<void> {
  const { operands, options } = parseArguments(words, {
    values: ['out', 'role', 'system', 'backbone', 'model', 'rank', 'alpha', 'roles'],
    flags: [],
  })
  const [path] = operands
  check(path !== undefined && operands.length === 1, 'usage', () => 'import takes one file or folder')
  const out = required(options, 'out')
  const files = await arrivingFiles(path)
  const known = await arrivalOptions(files, options)
  const { arrivals, refusals } = await arrive(files, known)
  const [refusal] = refusals
  if (refusal) throw new HycoraError(refusal.code, refusal.message)
  for (const arrival of arrivals) {
    const pack = packOf(arrival)
    if (arrival.kind === 'pack') expectBackbone(arrival, known.backbone)
    for (const warning of arrival.warnings) process.stderr.write(`warning: ${warning}\n`)
    await writeOut(out, new Uint8Array(await pack.arrayBuffer()))
  }
}

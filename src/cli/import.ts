import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'

import { check, HycoraError } from '../core/errors.ts'
import { readAuthorsCheckpoint } from '../formats/authorsCheckpoint.ts'
import { readCardFile } from '../formats/cardFile.ts'
import { withoutEmbedded } from '../formats/charx.ts'
import { fileKind } from '../formats/fileKind.ts'
import { ownField } from '../core/json.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack, writePack, type PackBackbone, type PackContent } from '../formats/pack.ts'
import { changeRole } from '../formats/packParts.ts'
import { findPeftFolder, peftPack, readPeft } from '../formats/peft.ts'
import { readZip } from '../formats/zip.ts'
import { numberOption, parseArguments, required } from './arguments.ts'
import { readInput, writeOut } from './convert.ts'
import { openModel } from './engine.ts'

type Options = ReadonlyMap<string, string>

const ARCHIVE_LIMITS = { files: 256, inflatedBytes: 512 * 2 ** 20, totalBytes: 512 * 2 ** 20 }

/** What `--backbone` says, for the pack to be bound to it; null without the option. */
async function namedBackbone(options: Options): Promise<(PackBackbone & { readonly layers: number }) | null> {
  if (!options.has('backbone')) return null
  const { name, model } = await openModel(options)
  const { architecture, layers } = model.decoder
  return { name, architecture, layers, fingerprint: model.fingerprint }
}

async function importPeft(
  files: ReadonlyMap<string, Uint8Array>,
  fallbackName: string,
  options: Options,
): Promise<PackContent> {
  const backbone = await namedBackbone(options)
  const role = await readPeft(files, backbone?.layers)
  for (const warning of role.warnings) process.stderr.write(`warning: ${warning}\n`)
  return peftPack(role, {
    roleName: options.get('role') ?? fallbackName,
    system: options.get('system') ?? null,
    backbone: backbone && packBackbone(backbone),
  })
}

function packBackbone({ name, architecture, fingerprint }: PackBackbone): PackBackbone {
  return { name, architecture, fingerprint }
}

async function importCheckpoint(bytes: Uint8Array, name: string, options: Options): Promise<PackContent> {
  for (const option of ['rank', 'alpha', 'roles']) {
    check(options.has(option), 'usage', () => {
      return `${name} is not a persona pack; as a checkpoint of the authors' trainer it needs --rank, --alpha and --roles`
    })
  }
  const backbone = await namedBackbone(options)
  return readAuthorsCheckpoint(memorySource(name, bytes), {
    rank: numberOption(options, 'rank', NaN),
    alpha: numberOption(options, 'alpha', NaN),
    roles: required(options, 'roles')
      .split(',')
      .map((role) => role.trim()),
    backbone: backbone && packBackbone(backbone),
  })
}

/** The pack within a card; the card of the file, which somebody may have edited since, takes its place in the role. */
async function importCard(bytes: Uint8Array, name: string): Promise<PackContent> {
  const { card, adapter, warnings } = readCardFile(bytes, name)
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  check(adapter, 'format-unsupported', () => {
    return `${name} is a character card without an adapter; open it in the page, where it plays by its text`
  })
  const pack = await readPack(memorySource(`${name}: the adapter`, adapter))
  const roleName =
    pack.roles.find((role) => role.name === ownField(card, 'name'))?.name ?? pack.roles.at(-1)?.name
  return roleName === undefined ? pack : changeRole(pack, roleName, { card: withoutEmbedded(card) })
}

async function importFolder(path: string, options: Options): Promise<PackContent> {
  const names = await readdir(path)
  const wanted = names.filter((name) => /^adapter_(?:config\.json|model\.safetensors)$/.test(name))
  const files = await Promise.all(
    wanted.map(async (name) => [name, await readInput(join(path, name))] as const),
  )
  return importPeft(new Map(files), basename(resolve(path)), options)
}

async function readContent(path: string, options: Options): Promise<PackContent> {
  const found = await stat(path).catch(() => undefined)
  check(found, 'usage', () => `${path} is no file and no folder`)
  if (found.isDirectory()) return importFolder(path, options)
  const [bytes, name] = [await readInput(path), basename(path)]
  switch (fileKind(bytes, name)) {
    case 'pack':
      return readPack(memorySource(name, bytes))
    case 'safetensors':
      return importCheckpoint(bytes, name, options)
    case 'card':
    case 'json':
      return importCard(bytes, name)
    case 'peft': {
      const files = findPeftFolder(readZip(bytes, name, ARCHIVE_LIMITS))
      return importPeft(files ?? new Map(), name.slice(0, name.length - extname(name).length), options)
    }
    case 'gguf':
      throw new HycoraError(
        'format-unsupported',
        `${name} is a GGUF file, which is written but not read here; import the PEFT folder that it was made from`,
      )
    case 'backup':
    case 'unknown':
      throw new HycoraError(
        'format-unsupported',
        `${name} is none of the files that are imported: a persona pack, a CHARX, a PEFT folder, a checkpoint`,
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
  await writeOut(out, await writePack(await readContent(path, options)))
}

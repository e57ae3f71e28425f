import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'

import { plainBytes } from '../core/bytes.ts'
import { check, HycoraError } from '../core/errors.ts'
import { arrivingMember } from '../cast/member.ts'
import { expectReadable } from '../exchange/limits.ts'
import { ggufFile, peftFiles, subjectOf, writeForm } from '../exchange/share.ts'
import { shippedBackbone } from '../exchange/shippedBackbones.ts'
import { ggufNeedsHeads } from '../formats/gguf.ts'
import { writePack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import { roleFacts } from '../formats/packFacts.ts'
import { convertPack } from '../formats/packParts.ts'
import { readBackboneConfig } from '../model/decoder/backboneConfig.ts'
import { findRole } from '../model/adapter/roles.ts'
import { numberOption, parseArguments, required } from './arguments.ts'
import { findFolder, openPack } from './engine.ts'

type Options = ReadonlyMap<string, string>

const MIMES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
}

/** Writes files below a folder that is made where it is missing. */
export async function writeOut(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(resolve(path)), { recursive: true })
    await writeFile(path, bytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HycoraError('usage', `${path} cannot be written: ${reason}`)
  }
}

/** A file that an option names. */
export async function readInput(path: string): Promise<Uint8Array> {
  return readFile(resolve(path)).catch(() => {
    throw new HycoraError('usage', `${path} cannot be opened`)
  })
}

/** A stranger's file that an option names. @throws HycoraError `format-invalid` for one that is larger than is read. */
export async function readArriving(path: string): Promise<Uint8Array> {
  const found = await stat(resolve(path)).catch(() => undefined)
  if (found) expectReadable(basename(path), found.size)
  return readInput(path)
}

async function readPortrait(path: string | undefined): Promise<Blob | null> {
  if (path === undefined) return null
  const type = MIMES[extname(path).toLowerCase()]
  check(type, 'usage', () => `${path} is no picture that a card carries, expected PNG, JPEG or WebP`)
  return new Blob([plainBytes(await readInput(path))], { type })
}

/**
 * The size of a head, for formats that ask for it: of the backbone that is named, else of a shipped one that has the pack's
 * name for it; null where there is neither.
 */
async function findHeadDim(pack: Pack, named: string | undefined): Promise<number | null> {
  const { name, architecture, fingerprint } = pack.backbone
  const isKnown = named === undefined && shippedBackbone(fingerprint) !== undefined
  if (!ggufNeedsHeads(architecture) || isKnown) return null
  if (named === undefined && !/^[a-z\d][\w-]*$/i.test(name)) return null
  const folder = await findFolder(named ?? name).catch((error: unknown) => {
    if (named !== undefined) throw error
  })
  if (folder === undefined) return null
  const text = new TextDecoder().decode(await readInput(join(folder, 'config.json')))
  const config = readBackboneConfig(JSON.parse(text))
  const headDim = config?.headDim ?? (config?.hidden ?? 0) / (config?.heads ?? 1)
  const query = pack.config.dims.get('q')?.[1] ?? headDim * (config?.heads ?? 1)
  check(query === headDim * (config?.heads ?? 0), 'model-incompatible', () => {
    return `${basename(folder)} has ${config?.heads} heads of ${headDim}, the pack was trained for a width of ${query}`
  })
  return headDim
}

async function convertWhole(pack: Pack, out: string, options: Options): Promise<void> {
  await writeOut(out, await writePack(convertPack(pack, options.has('f16') ? 'F16' : 'F32')))
}

/** One role for a program that knows no roles. */
async function convertPlain(pack: Pack, role: string, out: string, options: Options): Promise<void> {
  check(!options.has('f16'), 'usage', () => '--f16 is for pack and charx; peft and gguf are written in F32')
  const plain = { name: shownName(pack, role), strength: numberOption(options, 'strength', 1) }
  if (options.get('to') === 'gguf') {
    const headDim = await findHeadDim(pack, options.get('backbone'))
    await writeOut(out, ggufFile(pack, role, { ...plain, headDim }))
    return
  }
  const baseModel = options.get('base-model')
  const files = peftFiles(pack, role, { ...plain, ...(baseModel !== undefined && { baseModel }) })
  for (const [path, bytes] of files) await writeOut(join(out, path), bytes)
}

/** What a role of a pack is called. */
function shownName(pack: Pack, name: string): string {
  const roles = roleFacts(pack)
  const role = roles[findRole(pack, name)]
  return role ? arrivingMember(role, roles).displayName : name
}

/** One role for this page, or for programs that read cards. */
async function convertRole(pack: Pack, role: string, out: string, options: Options): Promise<void> {
  const to = options.get('to')
  check(!options.has('strength'), 'usage', () => {
    return `--strength is for peft and gguf; a ${to} keeps the role as it was trained`
  })
  const subject = subjectOf(
    {
      pack: null,
      role,
      name: shownName(pack, role),
      cards: new Map(),
      card: pack.roles[findRole(pack, role)]?.card ?? null,
      original: null,
      assets: new Map(),
      portrait: await readPortrait(options.get('portrait')),
      home: null,
      headDim: null,
      isHalf: options.has('f16'),
    },
    pack,
  )
  const { bytes } = await writeForm(to === 'charx' ? 'charx' : 'role', subject)
  await writeOut(out, bytes)
}

/** `convert`: one role of a pack in a form that other programs read, or a whole pack in another precision. */
export async function convert(words: readonly string[]): Promise<void> {
  const { operands, options } = parseArguments(words, {
    values: ['pack', 'role', 'to', 'out', 'strength', 'portrait', 'backbone', 'base-model'],
    flags: ['f16'],
  })
  check(operands.length === 0, 'usage', () => `convert takes options only, "${operands[0]}" is none`)
  const [to, out] = [required(options, 'to'), required(options, 'out')]
  const pack = await openPack(required(options, 'pack'))
  if (to === 'pack' && !options.has('role')) return convertWhole(pack, out, options)
  const role = required(options, 'role')
  findRole(pack, role)
  if (to === 'peft' || to === 'gguf') return convertPlain(pack, role, out, options)
  if (to === 'pack' || to === 'charx') return convertRole(pack, role, out, options)
  throw new HycoraError('usage', `--to is "${to}", expected peft, gguf, charx or pack`)
}

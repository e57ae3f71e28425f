import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'

import { check, HycoraError } from '../core/errors.ts'
import { normaliseCard, type CardPicture } from '../formats/cardSpec.ts'
import { writeCharx } from '../formats/charx.ts'
import { ggufNeedsHeads, writeGguf } from '../formats/gguf.ts'
import type { JsonRecord } from '../core/json.ts'
import type { LoraRole } from '../formats/loraRole.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import { writePack, type Pack, type PackContent } from '../formats/pack.ts'
import type { PackRole } from '../formats/packRoles.ts'
import { convertPack, extractRole, packLicence } from '../formats/packParts.ts'
import { writePeft } from '../formats/peft.ts'
import { readBackboneConfig } from '../model/backboneConfig.ts'
import { loraRole } from '../model/loraRole.ts'
import { findRole } from '../model/roles.ts'
import { numberOption, parseArguments, required } from './arguments.ts'
import { findFolder, openPack } from './engine.ts'

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

async function readPortrait(path: string): Promise<CardPicture> {
  const mime = MIMES[extname(path).toLowerCase()]
  check(mime, 'usage', () => `${path} is no picture that a card carries, expected PNG, JPEG or WebP`)
  return { bytes: await readInput(path), mime }
}

/** The card of a role; a role without one gets a card of its name and line. */
function cardOf({ name, card, system }: PackRole): JsonRecord {
  return normaliseCard(card ?? { name, system_prompt: system ?? '' }, `the card of ${name}`).card
}

/**
 * The size of a head, for formats that ask for it: of the backbone that is named, else of the shipped one that the pack
 * names; null where there is neither.
 */
async function findHeadDim(pack: Pack, named: string | undefined): Promise<number | null> {
  const { name, architecture } = pack.backbone
  if (!ggufNeedsHeads(architecture)) return null
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

async function writePeftFolder(pack: Pack, role: LoraRole, folder: string, baseModel: string): Promise<void> {
  const { architecture } = pack.backbone
  const system = roleLineOf(pack, role.name)
  const files = writePeft(role, { baseModel, architecture, licence: packLicence(pack), system })
  for (const [path, bytes] of files) await writeOut(join(folder, path), bytes)
}

async function writeWhole(pack: Pack, out: string, halves: boolean): Promise<void> {
  await writeOut(out, await writePack(convertPack(pack, halves ? 'F16' : 'F32')))
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
  if (to === 'pack' && !options.has('role')) return writeWhole(pack, out, options.has('f16'))
  const name = required(options, 'role')
  const role = pack.roles[findRole(pack, name)]
  const strength = numberOption(options, 'strength', 1)
  const isPlain = to === 'peft' || to === 'gguf'
  check(isPlain || !options.has('strength'), 'usage', () => {
    return `--strength is for peft and gguf; a ${to} keeps the role as it was trained`
  })
  check(
    !isPlain || !options.has('f16'),
    'usage',
    () => `--f16 is for pack and charx; ${to} is written in F32`,
  )
  const one = (): PackContent => {
    const content = extractRole(pack, name)
    return options.has('f16') ? convertPack(content, 'F16') : content
  }
  if (to === 'peft') {
    const baseModel = options.get('base-model') ?? pack.backbone.name
    await writePeftFolder(pack, loraRole(pack, name, strength), out, baseModel)
  } else if (to === 'gguf') {
    const headDim = await findHeadDim(pack, options.get('backbone'))
    await writeOut(out, writeGguf(loraRole(pack, name, strength), { ...pack.backbone, headDim }))
  } else if (to === 'pack') {
    await writeOut(out, await writePack(one()))
  } else if (to === 'charx' && role) {
    const path = options.get('portrait')
    const portrait = path === undefined ? undefined : await readPortrait(path)
    const adapter = await writePack(one())
    await writeOut(out, writeCharx({ card: cardOf(role), adapter, ...(portrait && { portrait }) }))
  } else {
    throw new HycoraError('usage', `--to is "${to}", expected peft, gguf, charx or pack`)
  }
}

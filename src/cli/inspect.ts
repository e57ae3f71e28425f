import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'

import { HycoraError, asHycoraError } from '../core/errors.ts'
import { readBackup } from '../formats/backup.ts'
import { greetingsOf } from '../cast/cardTexts.ts'
import { readCard } from '../formats/card.ts'
import { readCardFile } from '../formats/cardFile.ts'
import { fileKind } from '../formats/fileKind.ts'
import { readGgufHeader } from '../formats/gguf.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack, type Pack } from '../formats/pack.ts'
import { packStem } from '../formats/packParts.ts'
import { findPeftFolder, readPeft } from '../formats/peft.ts'
import { readSafetensorsHeader } from '../formats/safetensors.ts'
import { readZip } from '../formats/zip.ts'
import { describeFormat } from '../model/gpuWeights.ts'
import { parseArguments } from './arguments.ts'
import { readInput } from './convert.ts'
import { openModel, openPack } from './engine.ts'
import { openFile } from './files.ts'

type Description = Readonly<Record<string, unknown>>

const GGUF_HEADER_BYTES = 64 * 2 ** 20
const ARCHIVE_LIMITS = { files: 256, inflatedBytes: 512 * 2 ** 20, totalBytes: 512 * 2 ** 20 }

async function describePack(pack: Pack): Promise<Description> {
  const { config, backbone, roles, provenance, sha256, name, tensors } = pack
  return {
    kind: 'persona pack',
    file: name,
    roles: roles.map((role) => role.name),
    rank: config.rank,
    alpha: config.alpha,
    sources: config.sources,
    projections: config.projections,
    dtypes: [...new Set(Array.from(tensors.values(), ({ dtype }) => dtype))],
    backbone,
    provenance,
    sha256,
    stem: await packStem(pack),
  }
}

async function describeBackbone(path: string): Promise<Description> {
  const { name, model } = await openModel(new Map([['backbone', path]]))
  const { decoder, fingerprint, modelFile, tokenizer, template } = model
  const { architecture, layers, hidden, heads, kvHeads, headDim, ffn, vocabulary, maxPositions } = decoder
  return {
    kind: 'backbone',
    name,
    modelFile,
    architecture,
    layers,
    hidden,
    heads,
    kvHeads,
    headDim,
    ffn,
    vocabulary,
    maxPositions,
    weights: describeFormat(decoder),
    rotary: decoder.rotary.kind === 'theta' ? `θ ${decoder.rotary.theta}` : 'tables of the graph',
    tokenizer: tokenizer !== null,
    chatTemplate: template !== null,
    fingerprint,
  }
}

async function describeCard(bytes: Uint8Array, file: string): Promise<Description> {
  const { card, spec, portrait, adapter, assets, warnings } = readCardFile(bytes, file)
  const character = readCard(card)
  const { name, creator, characterVersion, tags, lorebookEntries, extensions } = character
  return {
    kind: 'character card',
    file,
    spec,
    name,
    creator,
    characterVersion,
    tags,
    greetings: greetingsOf(character).length,
    lorebook: lorebookEntries > 0,
    extensions: Object.keys(extensions),
    portrait: portrait ? `${portrait.mime}, ${portrait.bytes.length} bytes` : 'none',
    assets: [...assets.keys()],
    adapter: adapter ? await describeAdapter(adapter, file) : 'none',
    warnings,
  }
}

/** A broken pack does not hide the card that carries it. */
async function describeAdapter(bytes: Uint8Array, file: string): Promise<unknown> {
  try {
    return await describePack(await readPack(memorySource(`${file}: the adapter`, bytes)))
  } catch (error) {
    return asHycoraError(error, 'format-invalid').message
  }
}

async function describePeft(files: ReadonlyMap<string, Uint8Array>, file: string): Promise<Description> {
  const { config, baseModel, warnings } = await readPeft(files)
  const { rank, alpha, layers, projections, dims } = config
  return {
    kind: 'PEFT LoRA',
    file,
    baseModel,
    rank,
    alpha,
    layers,
    projections,
    dims: Object.fromEntries(dims),
    warnings,
  }
}

async function describeGguf(path: string): Promise<Description> {
  const source = await openFile(resolve(path))
  const start = await source.read(0, Math.min(source.sizeBytes, GGUF_HEADER_BYTES))
  const { metadata, tensors } = readGgufHeader(start, source.name)
  return {
    kind: metadata.get('general.type') === 'adapter' ? 'GGUF adapter' : 'GGUF file',
    file: source.name,
    metadata: Object.fromEntries(metadata),
    tensors: tensors.length,
  }
}

async function describeSafetensors(bytes: Uint8Array, file: string): Promise<Description> {
  const { metadata, tensors } = await readSafetensorsHeader(memorySource(file, bytes))
  const shapes = Array.from(tensors, ([name, { dtype, shape }]) => [name, `${dtype} [${shape.join(', ')}]`])
  return {
    kind: 'safetensors file',
    file,
    metadata: Object.fromEntries(metadata),
    tensors: Object.fromEntries(shapes),
  }
}

async function describeBackup(bytes: Uint8Array, file: string): Promise<Description> {
  const { createdAt, software, parts } = await readBackup(bytes, file)
  return {
    kind: 'backup',
    file,
    created: new Date(createdAt).toISOString(),
    software,
    parts: parts.map(({ kind, name, bytes: content }) => `${kind} ${name}, ${content.length} bytes`),
  }
}

async function describeFile(path: string): Promise<Description> {
  const name = basename(path)
  const source = await openFile(resolve(path))
  const start = await source.read(0, Math.min(source.sizeBytes, 512))
  const early = fileKind(start, name)
  if (early === 'gguf') return describeGguf(path)
  if (early === 'pack') return describePack(await openPack(path))
  const bytes = await readInput(path)
  const kind = fileKind(bytes, name)
  if (kind === 'safetensors') return describeSafetensors(bytes, name)
  if (kind === 'backup') return describeBackup(bytes, name)
  if (kind !== 'peft') return describeCard(bytes, name)
  return describePeft(findPeftFolder(readZip(bytes, name, ARCHIVE_LIMITS)) ?? new Map(), name)
}

async function describeFolder(path: string): Promise<Description> {
  const names = await readdir(resolve(path)).catch((): string[] => [])
  if (!names.includes('adapter_config.json')) return describeBackbone(path)
  const wanted = names.filter((name) => /^adapter_(?:config\.json|model\.safetensors)$/.test(name))
  const files = await Promise.all(
    wanted.map(async (name) => [name, await readInput(join(path, name))] as const),
  )
  return describePeft(new Map(files), basename(resolve(path)))
}

/** `inspect`: what a pack, a card, another program's adapter or a backbone's folder is, for people or as JSON. */
export async function inspect(words: readonly string[]): Promise<void> {
  const { operands, options } = parseArguments(words, { values: [], flags: ['json'] })
  const [path] = operands
  if (path === undefined || operands.length > 1)
    throw new HycoraError('usage', 'inspect takes one file or folder')
  const isFile = (await stat(resolve(path)).catch(() => undefined))?.isFile() ?? false
  const description = await (isFile ? describeFile(path) : describeFolder(path))
  if (options.has('json')) {
    process.stdout.write(`${JSON.stringify(description, null, 2)}\n`)
    return
  }
  for (const [key, value] of Object.entries(description)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    process.stdout.write(`${key.padEnd(14)} ${text}\n`)
  }
}

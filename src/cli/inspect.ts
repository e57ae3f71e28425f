import { inEnglish } from '../core/remarkTexts.ts'
import { readdir, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'

import { HycoraError, asHycoraError } from '../core/errors.ts'
import type { Backup } from '../formats/backup.ts'
import { greetingsOf, lineOf, unknownIn } from '../cast/cardTexts.ts'
import { readCard } from '../formats/card.ts'
import type { CardFile } from '../formats/cardRecord.ts'
import { kindByStart, START_BYTES } from '../exchange/fileKind.ts'
import { chatsBeside, openFile, refuse } from '../exchange/openFile.ts'
import { isAdapterFile } from '../exchange/parcels.ts'
import type { Opened } from '../exchange/openFile.ts'
import { readGgufHeader } from '../formats/gguf.ts'
import { readLorebook } from '../formats/lore/readLorebook.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack, type Pack } from '../formats/pack.ts'
import { silenceOf } from '../formats/packFacts.ts'
import { packStem } from '../formats/packParts.ts'
import { readPeft } from '../formats/peft.ts'
import { readSafetensorsHeader } from '../formats/safetensors.ts'
import type { RotarySource } from '../model/decoder/decoder.ts'
import { describeFormat } from '../model/gpu/gpuWeights.ts'
import { parseArguments } from './arguments.ts'
import { readArriving } from './convert.ts'
import { openModel } from './engine.ts'
import { adapterFolders, arrivingFiles } from './import.ts'
import { fileSource } from './files.ts'

type Description = Readonly<Record<string, unknown>>
type OpenedChats = Extract<Opened, { readonly kind: 'chat' }>
type OpenedLore = Extract<Opened, { readonly kind: 'lore' }>
type OpenedWeights = Extract<Opened, { readonly kind: 'safetensors' }>

const GGUF_HEADER_BYTES = 64 * 2 ** 20

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
    warnings: sentencesOf(silenceOf(pack)),
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
    rotary: decoder.rotaries.map(describeRotary).join(', '),
    tokenizer: tokenizer !== null,
    chatTemplate: template !== null,
    fingerprint,
  }
}

function describeRotary(rotary: RotarySource): string {
  return rotary.kind === 'theta' ? `θ ${rotary.theta}` : 'tables of the graph'
}

async function describeCard(found: CardFile, file: string): Promise<Description> {
  const { card, spec, program, portrait, adapter, assets, chats, warnings } = found
  const character = readCard(card)
  const { name, creator, characterVersion, tags, lorebookEntries, extensions } = character
  return {
    kind: 'character card',
    file,
    ...(program === undefined ? { spec } : { program }),
    name,
    creator,
    characterVersion,
    tags,
    greetings: greetingsOf(character).length,
    lorebook: lorebookEntries > 0,
    extensions: Object.keys(extensions),
    portrait: portrait ? `${portrait.mime}, ${portrait.bytes.length} bytes` : 'none',
    assets: [...assets.keys()],
    line: lineOf(character, { user: 'the visitor' }),
    unknownMacros: unknownIn(character),
    adapter: adapter ? await describeAdapter(adapter, file) : 'none',
    ...(chats && { chats: chatsBeside(JSON.stringify(chats), file).length }),
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

function sentencesOf(...sentences: readonly (string | null)[]): readonly string[] {
  return sentences.filter((sentence) => sentence !== null)
}

async function describePeft(
  files: ReadonlyMap<string, Uint8Array>,
  file: string,
  warning: string | null = null,
): Promise<Description> {
  const role = await readPeft(files)
  const { config, baseModel, warnings, program, stated } = role
  const { rank, alpha, layers, projections, dims } = config
  return {
    kind: `${program} LoRA`,
    file,
    baseModel,
    ...(stated && { role: stated.name, backbone: stated.backbone }),
    rank,
    alpha,
    layers,
    projections,
    dims: Object.fromEntries(dims),
    warnings: sentencesOf(warning, ...warnings, silenceOf(role)),
  }
}

async function describeGguf(path: string): Promise<Description> {
  const source = await fileSource(resolve(path))
  const start = await source.read(0, Math.min(source.sizeBytes, GGUF_HEADER_BYTES))
  const { metadata, tensors } = readGgufHeader(start, source.name)
  return {
    kind: metadata.get('general.type') === 'adapter' ? 'GGUF adapter' : 'GGUF file',
    file: source.name,
    metadata: Object.fromEntries(metadata),
    tensors: tensors.length,
  }
}

async function describeSafetensors(
  bytes: Uint8Array,
  { isCheckpoint, what }: OpenedWeights,
  file: string,
): Promise<Description> {
  const { metadata, tensors } = await readSafetensorsHeader(memorySource(file, bytes), { isForeign: true })
  const shapes = Array.from(tensors, ([name, { dtype, shape }]) => [name, `${dtype} [${shape.join(', ')}]`])
  return {
    kind: isCheckpoint ? "checkpoint of the authors' trainer" : 'safetensors file',
    file,
    ...(what !== null && { is: what }),
    metadata: Object.fromEntries(metadata),
    tensors: Object.fromEntries(shapes),
  }
}

function describeChats({ chats, warning }: OpenedChats, file: string): Description {
  const messages = chats.flatMap((chat) => chat.messages)
  return {
    kind: 'chat',
    file,
    program: chats[0]?.program,
    character: chats[0]?.characterName,
    user: chats[0]?.userName,
    ...(chats.length > 1 && { chats: chats.length }),
    messages: messages.length,
    speakers: [...new Set(messages.map(({ name }) => name))],
    skipped: chats.flatMap(({ skipped }) => skipped),
    warnings: warning === null ? [] : [`${warning}.`],
  }
}

function describeLore({ lore, warning }: OpenedLore, file: string): Description {
  const { name, scanDepth, tokenBudget, isRecursive, entries, unmet } = readLorebook(lore.book)
  return {
    kind: 'lorebook',
    file,
    program: lore.program,
    name,
    entries: entries.length,
    enabled: entries.filter(({ isEnabled }) => isEnabled).length,
    constant: entries.filter(({ isConstant }) => isConstant).length,
    scanDepth,
    tokenBudget,
    recursive: isRecursive,
    notHonoured: unmet.map(inEnglish),
    warnings: warning === null ? [] : [`${warning}.`],
  }
}

function describeBackup({ createdAt, software, parts }: Backup, file: string): Description {
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
  const source = await fileSource(resolve(path))
  const start = await source.read(0, Math.min(source.sizeBytes, START_BYTES))
  // Models may be larger than memory: their headers are enough.
  if (kindByStart(start) === 'gguf') return describeGguf(path)
  const bytes = await readArriving(path)
  const opened = await openFile(bytes, name)
  switch (opened.kind) {
    case 'pack':
      return describePack(opened.pack)
    case 'card':
      return describeCard(opened.card, name)
    case 'peft':
      return describePeft(opened.files, name, opened.warning && `${opened.warning}.`)
    case 'backup':
      return describeBackup(opened.backup, name)
    case 'safetensors':
      return describeSafetensors(bytes, opened, name)
    case 'chat':
      return describeChats(opened, name)
    case 'lines':
      return {
        kind: 'lines',
        file: name,
        bytes: bytes.length,
        dialogues: opened.dialogues,
        warnings: opened.warning === null ? [] : [`${opened.warning}.`],
      }
    case 'lore':
      return describeLore(opened, name)
    case 'group':
      return { kind: 'group of SillyTavern', file: name, ...opened.group }
    case 'other':
      return { kind: opened.what, file: name, bytes: bytes.length }
    case 'gguf':
    case 'unknown':
      return refuse(opened.kind, name, { bytes })
  }
}

async function describeFolder(path: string): Promise<Description> {
  const names = await readdir(resolve(path)).catch((): string[] => [])
  const isWithin = !names.includes('config.json') && (await adapterFolders(resolve(path))).length > 0
  if (!isWithin && !names.some(isAdapterFile)) return describeBackbone(path)
  const files = await arrivingFiles(path)
  const contents = await Promise.all(
    files.map(async ({ path: inside, file }) => {
      return [basename(inside), new Uint8Array(await file.arrayBuffer())] as const
    }),
  )
  return describePeft(new Map(contents), basename(resolve(path)))
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

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'

import { HycoraError } from '../core/errors.ts'
import type { Pack } from '../formats/pack.ts'
import { describeFormat } from '../model/gpuWeights.ts'
import { parseArguments } from './arguments.ts'
import { openModel, openPack } from './engine.ts'

function describePack(pack: Pack): Record<string, unknown> {
  const { config, backbone, roles, provenance, sha256, name } = pack
  return {
    kind: 'persona pack',
    file: name,
    roles: roles.map((role) => role.name),
    rank: config.rank,
    alpha: config.alpha,
    sources: config.sources,
    projections: config.projections,
    backbone,
    provenance,
    sha256,
  }
}

async function describeBackbone(path: string): Promise<Record<string, unknown>> {
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

/** `inspect`: what a pack or a backbone's folder is, for people or as JSON. */
export async function inspect(words: readonly string[]): Promise<void> {
  const { operands, options } = parseArguments(words, { values: [], flags: ['json'] })
  const [path] = operands
  if (path === undefined || operands.length > 1)
    throw new HycoraError('usage', 'inspect takes one file or folder')
  const isFile = (await stat(resolve(path)).catch(() => undefined))?.isFile() ?? false
  const description = isFile ? describePack(await openPack(path)) : await describeBackbone(path)
  if (options.has('json')) {
    process.stdout.write(`${JSON.stringify(description, null, 2)}\n`)
    return
  }
  for (const [key, value] of Object.entries(description)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    process.stdout.write(`${key.padEnd(14)} ${text}\n`)
  }
}

import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'

import { measureCard } from '../../bench/measureCard.ts'
import type { CardPlace } from '../../bench/measureCard.ts'
import { CARD_CASES, CARD_MODELS, USUAL_CARD_MODELS, floorMilliseconds } from '../../core/cardResult.ts'
import type { CardModel, CardResult, CardRow } from '../../core/cardResult.ts'
import { check } from '../../core/errors.ts'
import { integerOption } from '../arguments.ts'
import { openModel } from '../engine.ts'
import { shippedPath } from '../files.ts'
import { openNodeDevice } from '../gpu.ts'
import { openRival } from './rival.ts'
import { rivalModel } from './subject.ts'
import { tuneWith } from './tune.ts'

const FOLDERS = { smollm2: 'smollm2-135m-instruct', starter: 'starter' } as const

/** The names of a list that an option gives, all known ones. @throws HycoraError `usage` naming what is unknown. */
function namesOf<T extends string>(
  text: string | undefined,
  option: string,
  known: readonly T[],
): readonly T[] {
  const wanted = text?.split(',').map((name) => name.trim()) ?? known
  const unknown = wanted.find((name) => !known.some((one) => one === name))
  check(unknown === undefined, 'usage', () => `${option} has no "${unknown}"; there are ${known.join(', ')}`)
  return known.filter((name) => wanted.includes(name))
}

/** The version of a package, as its own package.json says. */
function versionOf(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string }
  return version
}

/** The commit that lies here; the empty string where this is no repository, or git is not there. */
function commitHere(): string {
  const { stdout, status } = spawnSync('git', ['rev-parse', 'HEAD'], {
    cwd: shippedPath('.'),
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : ''
}

function nodePlace(tune: string | undefined): CardPlace {
  return {
    async openDevice(features) {
      const gpu = await openNodeDevice(features)
      return { ...gpu, tuning: tuneWith(gpu.tuning, tune) }
    },
    async openServed(name) {
      const opened = await openModel(new Map([['backbone', FOLDERS[name]]]))
      return { decoder: opened.model.decoder, openRival: () => openRival(rivalModel(opened), 'webgpu') }
    },
    browser: `Node ${process.versions.node}, Dawn of webgpu ${versionOf('webgpu')}`,
    commit: commitHere(),
  }
}

function shown({ median, low, high, unit, note }: CardRow): string {
  return median === null ? `left out: ${note}` : `${median} ${unit} (${low} to ${high})`
}

/** A model's rows for people; what a token takes, with the floor beside it. */
function formatModel(result: CardResult, model: CardModel): string[] {
  const floor = floorMilliseconds(result, model.weightBytes, model.dispatchesPerToken)
  return [
    '',
    `${model.name}, ${model.type}: ${model.dispatchesPerToken} dispatches a token, which the floor takes ${floor.toPrecision(3)} ms for; onnxruntime: ${model.rivalNote}`,
    ...model.rows.map((row) => `  ${row.case.padEnd(12)} ${row.side.padEnd(12)} ${shown(row)}`),
    ...(model.kernels ?? []).map(({ kernel, dispatches, microseconds }) => {
      return `  ${kernel.padEnd(16)} ${String(dispatches).padStart(4)} dispatches ${microseconds} µs`
    }),
  ]
}

function formatCard(result: CardResult): string {
  const { device, browser, commit, floor } = result
  const card = [device.vendor, device.architecture, device.driver].filter(Boolean).join(' ')
  return [
    `${card}${result.isSoftware ? ' (a processor)' : ''}, ${browser}, commit ${commit.slice(0, 12)}`,
    `copies ${(floor.copyBytesPerSecond / 1e9).toPrecision(3)} GB/s, ${floor.dispatchMicroseconds} µs a dispatch`,
    ...result.models.flatMap((model) => formatModel(result, model)),
    '',
  ].join('\n')
}

/** `bench --card`: what a card does with models of several sizes, as one file to send. */
export async function benchCard(options: ReadonlyMap<string, string>): Promise<void> {
  const models = options.get('models')
  const measuring = measureCard(nodePlace(options.get('tune')), {
    models: models === undefined ? USUAL_CARD_MODELS : namesOf(models, '--models', CARD_MODELS),
    cases: namesOf(options.get('only'), '--only', CARD_CASES),
    rounds: integerOption(options, 'rounds', 5, { least: 1 }),
    tokens: integerOption(options, 'tokens', 32, { least: 2 }),
    isByKernel: options.has('kernels'),
  })
  let step = await measuring.next()
  while (!step.done) {
    process.stderr.write(`measuring ${step.value.model}: ${step.value.case}\n`)
    step = await measuring.next()
  }
  const result = step.value
  process.stdout.write(options.has('json') ? `${JSON.stringify(result, null, 2)}\n` : formatCard(result))
}

import { readFile, readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import type * as Ort from 'onnxruntime-web'

import type { OpenedModel } from '../engine.ts'

/** Something that reads a prompt and then one token after the other. */
export interface Reader {
  readonly name: string
  /** Reads a prompt from an empty cache. */
  read(ids: readonly number[]): Promise<unknown>
  /** Reads one token more. */
  step(id: number): Promise<unknown>
}

type Tensors = Readonly<Record<string, Ort.Tensor>>

/** Opens the unmodified model file in onnxruntime-web, as anybody would run it. */
export async function openPlainReader(ort: typeof Ort, { root, model }: OpenedModel): Promise<Reader> {
  const path = join(root, model.modelFile)
  const session = await ort.InferenceSession.create(await readFile(path), {
    externalData: await externalData(path),
    logSeverityLevel: 3,
  })
  const { headDim } = model.decoder
  const inputs = session.inputMetadata.filter((input) => input.isTensor)
  let cache: Tensors = {}
  let length = 0

  const run = async (ids: readonly number[]): Promise<void> => {
    const given: Tensors = { ...tokenTensors(ort, ids, length), ...cache }
    const feeds = inputs.map(({ name, type, shape }) => {
      const dims = shape.map((size, axis) =>
        typeof size === 'number' ? size : ([1, 0, 0, headDim][axis] ?? 0),
      )
      return [name, given[name] ?? emptyTensor(ort, type, dims)] as const
    })
    const { logits: _logits, ...present } = await session.run(Object.fromEntries(feeds))
    cache = Object.fromEntries(
      Object.entries(present).map(([name, tensor]) => [name.replace(/^present/, 'past_key_values'), tensor]),
    )
    length += ids.length
  }
  return {
    name: `onnxruntime-web ${ort.env.versions.web ?? ''} on the unmodified file`,
    read(ids) {
      cache = {}
      length = 0
      return run(ids)
    },
    step: (id) => run([id]),
  }
}

/** The files beside a model that hold its weights. */
async function externalData(path: string): Promise<{ path: string; data: Uint8Array }[]> {
  const model = basename(path)
  const names = (await readdir(dirname(path))).filter((name) => {
    return name.startsWith(`${model}_data`) || name === `${model}.data`
  })
  const read = async (name: string) => ({ path: name, data: await readFile(join(dirname(path), name)) })
  return Promise.all(names.map(read))
}

/** What every exporter's graph may ask for about the tokens to read. */
function tokenTensors(ort: typeof Ort, ids: readonly number[], past: number): Tensors {
  const integers = (values: readonly number[]): Ort.Tensor =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length])
  return {
    input_ids: integers(ids),
    attention_mask: integers(Array.from({ length: past + ids.length }, () => 1)),
    position_ids: integers(ids.map((_, index) => past + index)),
  }
}

function emptyTensor(ort: typeof Ort, type: string, dims: readonly number[]): Ort.Tensor {
  return type === 'float16'
    ? new ort.Tensor('float16', new Uint16Array(0), dims)
    : new ort.Tensor('float32', new Float32Array(0), dims)
}

import type { ByteSource, FileSet } from '../../core/bytes.ts'
import { check, HycoraError } from '../../core/errors.ts'
import { parseOnnx } from '../../formats/onnx.ts'
import type { OnnxModel } from '../../formats/onnx.ts'
import { readOnnxSkeleton } from '../../formats/onnxSkeleton.ts'
import type { Decoder } from '../decoder/decoder.ts'
import { recogniseDecoder } from './recognise.ts'

/**
 * Opens the decoder of a backbone folder; weights stay where they are until somebody reads them.
 *
 * @param options `model`: the model file, relative to the folder. `listing`: the folder's relative paths, where the
 * caller has them. Without `model` it is the only `*.onnx` in the folder, else `onnx/model.onnx`, else the only
 * `onnx/*.onnx`, else `model.onnx`.
 * @returns the decoder, the parsed config.json (undefined where there is none) and the model file taken.
 * @throws HycoraError `format-invalid`, `format-unsupported` as `parseOnnx` and `recogniseDecoder` do.
 */
export async function openDecoder(
  files: FileSet,
  options: { readonly model?: string; readonly listing?: readonly string[] } = {},
): Promise<{ decoder: Decoder; config: unknown; modelFile: string }> {
  const { modelFile, source } = await openModel(files, options)
  const bytes = await readOnnxSkeleton(source, modelFile.slice(modelFile.lastIndexOf('/') + 1))
  const { model, folder, config } = await readModel(files, modelFile, { name: source.name, bytes })
  return { decoder: await recogniseDecoder(model, { model: source, folder }, config), config, modelFile }
}

/** A model as its exporter wrote it. */
export interface ExportedModel {
  readonly model: OnnxModel
  /** The model file itself. */
  readonly bytes: Uint8Array
  /** Where its external data lie. */
  readonly folder: FileSet
  /** The parsed config.json; undefined where there is none. */
  readonly config: unknown
}

/**
 * Opens the model of a backbone folder without recognising anything in it.
 *
 * @param options as `openDecoder` has them.
 * @throws HycoraError `format-invalid` where there is none, or no ONNX model.
 */
export async function openExported(
  files: FileSet,
  options: { readonly model?: string; readonly listing?: readonly string[] } = {},
): Promise<ExportedModel> {
  const { modelFile, source } = await openModel(files, options)
  const bytes = await source.read(0, source.sizeBytes)
  return readModel(files, modelFile, { name: source.name, bytes })
}

async function readModel(
  files: FileSet,
  modelFile: string,
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
): Promise<ExportedModel> {
  const config = await readJson(files, 'config.json')
  const folder = subfolder(files, modelFile.slice(0, modelFile.lastIndexOf('/') + 1))
  return { model: parseOnnx(bytes, name), bytes, folder, config }
}

/**
 * A JSON file of a folder, parsed; undefined where there is none.
 *
 * @throws HycoraError `format-invalid` where it is no JSON.
 */
export async function readJson(files: FileSet, path: string): Promise<unknown> {
  const source = await files.open(path)
  if (!source) return undefined
  const bytes = await source.read(0, source.sizeBytes)
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return value
  } catch (thrown) {
    throw new HycoraError('format-invalid', `${path} is not JSON, expected a JSON object`, { cause: thrown })
  }
}

async function openModel(
  files: FileSet,
  { model, listing }: { readonly model?: string; readonly listing?: readonly string[] },
): Promise<{ modelFile: string; source: ByteSource }> {
  const candidates = model === undefined ? defaultModels(listing) : [model]
  for (const modelFile of candidates) {
    const source = await files.open(modelFile)
    if (source) return { modelFile, source }
  }
  throw new HycoraError(
    'format-invalid',
    `the backbone has no ${candidates.join(' or ')}, expected an ONNX model`,
  )
}

function defaultModels(listing: readonly string[] | undefined): readonly string[] {
  const only = (pattern: RegExp): readonly string[] => {
    const found = listing?.filter((path) => pattern.test(path)) ?? []
    return found.length === 1 ? found : []
  }
  return [...only(/^[^/]+\.onnx$/), 'onnx/model.onnx', ...only(/^onnx\/[^/]+\.onnx$/), 'model.onnx']
}

function subfolder(files: FileSet, prefix: string): FileSet {
  check(
    !prefix.split('/').includes('..'),
    'format-invalid',
    () => `the model's folder ${prefix} is outside its backbone`,
  )
  return { open: (path) => files.open(prefix + path) }
}

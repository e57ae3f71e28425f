import type { OrtRuntime } from '../fallback/ortRuntime.ts'
import type { Backbone } from '../model/decoder/backbone.ts'
import { openExported } from '../model/graph/openBackbone.ts'
import { blobFiles } from '../play/blobFiles.ts'
import { COMPARED_PROMPT, compareWithRuntime } from '../play/compareWithRuntime.ts'
import type { Comparison } from '../play/compareWithRuntime.ts'
import { promptFor } from '../play/speak.ts'
import type { Stage, StageFiles } from '../play/stage.ts'

/** Enough to see whether two answers part, and how fast each comes. */
const TOKENS = 16

/**
 * What the kernels on stage and onnxruntime make of one prompt, from the files that the stage was set with.
 *
 * @throws HycoraError `out-of-memory` where the processor has no room for the model beside the kernels; `cancelled`.
 */
export async function compareStage(
  { name, model, backbone, computing }: Stage,
  { files, model: modelFile }: Pick<StageFiles, 'files' | 'model'>,
  ort: OrtRuntime,
  signal: AbortSignal,
): Promise<Comparison> {
  const listing = [...files.keys()]
  const exported = await openExported(blobFiles(files), { listing, ...(modelFile && { model: modelFile }) })
  const promptOf = (read: Backbone): readonly number[] =>
    promptFor(
      { name, model, backbone: read },
      { system: null, turns: [{ speaker: 'user', text: COMPARED_PROMPT }] },
    ).ids
  const kernels = computing.path === 'webgpu' ? backbone : null
  return compareWithRuntime(ort, exported, kernels, { promptOf, tokens: TOKENS, signal })
}

import { OrtBackbone } from '../fallback/ortBackbone.ts'
import type { OrtRuntime } from '../fallback/ortRuntime.ts'
import type { ChatModel, UnknownModel } from '../model/chatModel.ts'
import { lookedAt } from '../model/decoder/logits.ts'

/**
 * A model on the processor: its decoder written anew for onnxruntime, or, where its graph is not recognised, as it was
 * exported; its first logits are looked at.
 *
 * @throws HycoraError as `OrtBackbone.create` and `OrtBackbone.ofExported`; `not-a-number`.
 */
export function openOnProcessor(
  ort: OrtRuntime,
  model: Pick<ChatModel, 'decoder'> | Pick<UnknownModel, 'exported'>,
  onLayer?: (done: number, all: number) => void,
): Promise<OrtBackbone> {
  return lookedAt(
    'decoder' in model
      ? OrtBackbone.create(ort, model.decoder, onLayer && { onLayer })
      : OrtBackbone.ofExported(ort, model.exported),
  )
}

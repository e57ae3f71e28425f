import { roleFacts } from '../formats/packFacts.ts'
import { describeFormat } from '../model/gpu/gpuWeights.ts'
import { parameterCount } from '../model/decoder/decoder.ts'
import type { Stage } from '../play/stage.ts'
import type { BackboneInfo } from './protocol.ts'

/** What the page is told of a stage. */
export function backboneInfo({ name, model, backbone, pack, computing, warnings }: Stage): BackboneInfo {
  const { layers, hidden, headDim, vocabulary } = backbone.shape
  const isKnown = 'decoder' in model
  return {
    name,
    architecture: isKnown ? model.decoder.architecture : '',
    fingerprint: model.fingerprint,
    layers,
    hidden,
    headDim,
    vocabulary,
    parameters: parameterCount(backbone.shape),
    context: backbone.context,
    affordsGuidance: backbone.affordsGuidance,
    gpuBytes: backbone.gpuBytes(),
    weightFormat: isKnown ? describeFormat(model.decoder) : 'as exported',
    computing,
    roles: pack ? roleFacts(pack) : [],
    warnings,
  }
}

import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { fingerprint } from '../../../src/model/decoder/fingerprint.ts'
import { KERNEL_FAMILIES, readModelFacts } from '../../../src/hub/modelFit.ts'
import { openDecoder, readJson } from '../../../src/model/graph/openBackbone.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { nmse } from '../../support/compare.ts'
import { readSafetensors } from '../../support/safetensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

async function open(path: string, model?: string) {
  const root = sharedPath(path)
  const listing = readdirSync(root, { recursive: true }).map(String)
  const files = folder(root)
  return { files, ...(await openDecoder(files, { listing, ...(model === undefined ? {} : { model }) })) }
}

describe.skipIf(!hasShared)('decoders as exporters write them, against ONNX Runtime', () => {
  test.each([
    ['g_llama_fp32_cpu', 1e-8],
    ['g_qwen2_fp32_cpu', 1e-8],
    ['g_qwen2_fp32_cpu_nofuse', 1e-8],
    ['t_llama_dyn18', 1e-8],
    ['t_llama_ts17', 1e-8],
    ['t_qwen2_ts17', 1e-8],
    ['g_llama_fp16_cpu', 1e-5],
    ['g_llama_int4_web', 1e-3],
    ['q_q4', 1e-3],
    ['q_int8', 1e-3],
    ['q_uint8', 1e-3],
    ['f_qwen3_opt', 1e-8],
    ['f_granite4_genai_fp32', 1e-8],
    ['f_mistral_window_opt', 1e-8],
    ['f_gemma3_opt', 1e-8],
    ['f_phi4mini_opt', 1e-8],
    ['f_ernie_genai_fp32', 1e-8],
    ['f_smollm3_opt', 1e-8],
  ])('%s', async (name, tolerance) => {
    const { decoder } = await open(`onnx/${name}`)
    const golden = readSafetensors(sharedPath(`onnx/${name}/golden.safetensors`))
    const ids = [...golden.get('input_ids')!.data]
    const { logits } = referenceForward(await loadReference(decoder), [...ids, 42])
    const { vocabulary } = decoder
    expect(nmse(logits.subarray(0, ids.length * vocabulary), golden.get('logits')!.data)).toBeLessThan(
      tolerance,
    )
    expect(nmse(logits.subarray(ids.length * vocabulary), golden.get('step_logits')!.data)).toBeLessThan(
      tolerance,
    )
  })

  test('the families that are told beforehand to be computed by our kernels are those that are recognised', async () => {
    const folders = readdirSync(sharedPath('onnx')).filter((name) => name.startsWith('f_'))
    for (const name of folders) {
      const config: unknown = JSON.parse(readFileSync(sharedPath(`onnx/${name}/config.json`), 'utf8'))
      const isRecognised = await open(`onnx/${name}`).then(
        () => true,
        () => false,
      )
      expect([name, KERNEL_FAMILIES.includes(readModelFacts(config)?.family ?? '')]).toEqual([
        name,
        isRecognised,
      ])
    }
  })
})

describe.skipIf(!hasShared)('fingerprints of exporters’ folders', () => {
  // As the twin has them in scale/tests/test_backbone.py, with two tokens in the place of a tokenizer.
  test.each([
    ['f_gemma3_opt', '1e0d6ea637b6c54ee3c9a04f5b26b30689ec22677f117647da02d85ad4cf4dcc'],
    ['f_granite4_genai_fp32', 'dcdf6f861fe438b1b41fc008806cc84ccee447e4887c6845c46d46dff4627548'],
    ['f_mistral_window_opt', 'ff88da2a9a2184dfd4b1c2131dfdeb60b9ce3a67a3ec80318f705215b508f644'],
    ['f_qwen3_opt', '3fa70a743690fbf7d385b5c066285be315587e125ff145d1765cf9bc5bf5b000'],
  ])('%s', async (name, expected) => {
    const { decoder, config } = await open(`onnx/${name}`)
    expect(await fingerprint(decoder, config, { model: { vocab: { a: 0, b: 1 } } })).toBe(expected)
  })
})

describe.skipIf(!hasShared)('the backbones', () => {
  const starter = '56dd2f0b8833632a12fd17642d7e30b743557c371871d70a797c9e6df9efc30d'
  const smollm2 = '81251daa2d70ce45573d6bd0d8ff0698f13f0ce01319538626e1bb55cbe351d3'

  // As the twin has it in scale/tests/test_backbone.py.
  const qwen3 = '93cb9359616918f4f9a25c2492c258adbadcac8aa53561d18c7723886a5c99cd'

  test.each([
    ['onnx/model.onnx', 1e-8],
    ['onnx/model_fp16.onnx', 1e-5],
    ['onnx/model_q4.onnx', 2e-2],
  ])('the starter’s %s agrees with PyTorch', async (model, tolerance) => {
    const { decoder } = await open('backbone/starter', model)
    const golden = readSafetensors(sharedPath('golden/backbone/golden.safetensors'))
    const ids = [...golden.get('prompt.0.ids')!.data]
    const { logits } = referenceForward(await loadReference(decoder), ids)
    expect(nmse(logits, golden.get('prompt.0.bare.logits')!.data)).toBeLessThan(tolerance)
  })

  test.each([
    ['backbone/starter', 'onnx/model.onnx', starter],
    ['backbone/starter', 'onnx/model_fp16.onnx', starter],
    ['backbone/starter', 'onnx/model_q4.onnx', starter],
    ['backbone/smollm2-135m-instruct', undefined, smollm2],
    ['reports/engine/qk-norm-inside-attention', undefined, qwen3],
  ])('fingerprint of %s %s', async (path, model, expected) => {
    const { decoder, config, files } = await open(path, model)
    expect(await fingerprint(decoder, config, await readJson(files, 'tokenizer.json'))).toBe(expected)
    expect(await fingerprint(decoder, config, undefined)).toBe('')
    expect(await fingerprint(decoder, undefined, {})).toBe('')
  })
})

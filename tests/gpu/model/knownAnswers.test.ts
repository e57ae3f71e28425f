import { expect, test } from 'vitest'

import type { TunedDevice } from '../../../src/gpu/tuning.ts'
import { CARD, EMULATED } from '../../../src/gpu/tuning.ts'
import { sampleTokenKernel } from '../../../src/kernels/sampleToken.ts'
import { askKnownAnswers, checkKnownAnswers, checkSoundness } from '../../../src/model/gpu/knownAnswers.ts'
import { testGpu } from '../../support/device.ts'
import { miscompile } from '../../support/miscompiled.ts'
import type { Miscompiled } from '../../support/miscompiled.ts'

/** The device behind another face, for which kernels are compiled anew, one of them wrongly. */
async function miscompiling(fault: Miscompiled): Promise<TunedDevice> {
  const gpu = await testGpu(CARD)
  const device = new Proxy(gpu.device, {
    get(target, key) {
      if (key === 'createShaderModule') {
        return (descriptor: GPUShaderModuleDescriptor) => miscompile(target, descriptor, fault)
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { ...gpu, device }
}

test.each([
  ['a card', CARD],
  ['a processor that plays one', EMULATED],
])('kernels as they are planned for %s give the known answers', async (_, tuning) => {
  await expect(checkKnownAnswers(await testGpu(tuning))).resolves.toBeUndefined()
})

/** All of it, since any other text takes drivers on a processor a minute to compile. */
const SAMPLING = sampleTokenKernel.code.slice(sampleTokenKernel.code.indexOf('@compute'))
const WRONG_SAMPLING = `@compute @workgroup_size(1) fn sample_token() {
  advance(3u + u32(logits[0] > 1e30) + partials[0].x / 0xffffffffu);
}`

const ATTENTION = 'attention of '
test.each([
  ['embedding', 'uniforms.factor * value', '1.001 * uniforms.factor * value', 'embedding'],
  ['project', '= sum[i];', '= 1.001 * sum[i];', 'projection of 1 '],
  ['project_tile', '= sum[i];', '= 1.001 * sum[i];', 'projection of 37 '],
  ['project_backward', '= values[j];', '= 1.001 * values[j];', 'backward projection '],
  ['add_rms_norm', 'value *= gain[c] * scale', 'value *= gain[c] * 1.001 * scale', 'norm '],
  ['layer_norm', '- mean) + bias[c];', '- mean) - bias[c];', 'layer norm '],
  ['rotary_append', '= turned[k];', '= 1.001 * turned[k];', 'rotation, cache '],
  ['rotary_append', 'pack2x16float(rounded.zw)', 'pack2x16float(rounded.wz)', 'cache '],
  ['attention', '= sum / total', '= 1.001 * sum / total', `cache, ${ATTENTION}1 `],
  ['attention_rows', '= sums[r] / total[r]', '= 1.001 * sums[r] / total[r]', `${ATTENTION}6 `],
  ['gated', '= result[i];', '= 1.001 * result[i];', 'silu gate, gelu gate '],
  ['gated', 'const CUBIC = 0.044715;', 'const CUBIC = 0.04;', 'gelu gate '],
  ['linear_backward_weight', 'return dy[index];', 'return 1.001 * dy[index];', 'gradient of weights '],
  ['adjust_logits', 'value / penalty,', 'value,', 'likeliest token '],
  [
    'sample_token',
    SAMPLING,
    WRONG_SAMPLING,
    'likeliest token, token that is led to, token of top-k, token of top-p ',
  ],
  ['rule_out', 'peak - sampling.doubt', 'peak - 100.0 * sampling.doubt', 'token that is led to '],
])('%s: a driver that compiles it wrongly is found by it', async (kernel, find, replace, name) => {
  await expect(checkKnownAnswers(await miscompiling({ kernel, find, replace }))).rejects.toMatchObject({
    code: 'wrong-answers',
    message: expect.stringContaining(`: ${name}`),
  })
})

test('of a driver that plays a card nothing is asked, and all that is wrong is named', async () => {
  const wrong = await miscompiling({
    kernel: 'embedding',
    find: 'uniforms.factor * value',
    replace: 'value + 1.0',
  })
  await expect(checkSoundness({ ...wrong, isSoftware: true })).resolves.toBeUndefined()
  await expect(checkSoundness({ ...wrong, isSoftware: false })).rejects.toMatchObject({
    code: 'wrong-answers',
  })
  expect(await askKnownAnswers(wrong)).toEqual({ count: 18, wrong: ['embedding'] })
})

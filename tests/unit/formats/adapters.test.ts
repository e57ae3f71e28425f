import { describe, expect, test } from 'vitest'

import { readPeft } from '../../../src/formats/peft.ts'
import type { PeftRole } from '../../../src/formats/peft.ts'
import { expectExact, fault, readDelta } from '../../support/adapterDelta.ts'
import { f16, f32, linears, peftFolder, peftTensors } from '../../support/adapterFolder.ts'

const Q0 = 'model.layers.0.self_attn.q_proj'

const isQ = (module: string): boolean => module.endsWith('q_proj')

describe('ranks and alphas by module', () => {
  test.each<[string, Record<string, unknown>, (module: string) => number, (module: string) => number]>([
    ['a rank by its end', { rank_pattern: { q_proj: 1 } }, (m) => (isQ(m) ? 1 : 2), (m) => (isQ(m) ? 16 : 8)],
    ['a larger rank', { rank_pattern: { v_proj: 5 } }, (m) => (isQ(m) ? 2 : 5), (m) => (isQ(m) ? 8 : 16 / 5)],
    ['every rank, none of them r', { rank_pattern: { 'q_proj|v_proj': 3 } }, () => 3, () => 16 / 3],
    ['an alpha by its path', { alpha_pattern: { [Q0]: 64 } }, () => 2, (m) => (m === Q0 ? 32 : 8)],
    [
      'an alpha that rounds',
      { alpha_pattern: { 'layers.0.self_attn.q_proj': 5 } },
      () => 2,
      (m) => (m === Q0 ? 2.5 : 8),
    ],
    [
      'an alpha of nothing',
      { alpha_pattern: { '^model.layers.0.self_attn.q_proj': 0 } },
      () => 2,
      (m) => (m === Q0 ? 0 : 8),
    ],
    ['an alpha below nothing', { alpha_pattern: { v_proj: -4 } }, () => 2, (m) => (isQ(m) ? 8 : -2)],
    [
      'both, by expressions, the first that fits',
      {
        rank_pattern: { '.*\\.[01]\\..*q_proj': 4 },
        alpha_pattern: { 'layers\\.\\d+\\.self_attn\\.q_proj': 8, q_proj: 99 },
      },
      (m) => (isQ(m) ? 4 : 2),
      (m) => (isQ(m) ? 2 : 8),
    ],
    [
      'by the root of each rank',
      { rank_pattern: { q_proj: 4 }, alpha_pattern: { [Q0]: 3 }, use_rslora: true },
      (m) => (isQ(m) ? 4 : 2),
      (m) => (m === Q0 ? 3 : 16) / Math.sqrt(isQ(m) ? 4 : 2),
    ],
    ['by the root alone', { use_rslora: true }, () => 2, () => 16 / Math.SQRT2],
    ['no patterns at all', { rank_pattern: null, alpha_pattern: undefined }, () => 2, () => 8],
  ])('%s: read exactly', async (_, change, rankOf, scaling) => {
    const all = linears(rankOf)
    const role = await expectExact(peftFolder(change, peftTensors(all)), all, scaling)
    expect(role.warnings).toEqual([])
    expect(role.config.rank).toBe(Math.max(...all.map(({ rank }) => rank)))
  })

  test('what needs neither zeros nor another scale keeps its bits', async () => {
    const all = linears()
    const files = peftFolder({ alpha_pattern: { [Q0]: 64 } }, peftTensors(all, undefined, f16))
    const { tensors, config } = await expectExact(files, all, (m) => (m === Q0 ? 32 : 8))
    expect(config.alpha).toBe(16)
    expect(tensors.get('layers.0.q.lora_A')!.dtype).toBe('F16')
    expect(tensors.get('layers.0.q.lora_B')!.dtype).toBe('F32')
    expect(tensors.get('layers.1.q.lora_B')!.dtype).toBe('F16')
  })

  test('a rank that the matrices do not have is a lie', async () => {
    expect(await fault(peftFolder({ rank_pattern: { q_proj: 4 } }))).toMatchObject({
      code: 'format-invalid',
      message: `the matrices of ${Q0} have the rank 2, adapter_config.json says 4`,
    })
    expect(await fault(peftFolder({ rank_pattern: { q_proj: 300 } }))).toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining('in rank_pattern 300'),
    })
  })

  test.each(['(a+)+$', '(a|a)*q_proj', '(', '(?i)q_proj', '.*.*.*.*.*q_proj', '(.)\\1', '(?P<x>q)_proj'])(
    'the expression %s is named, not tried',
    async (key) => {
      const started = performance.now()
      expect(await fault(peftFolder({ alpha_pattern: { [key]: 4 } }))).toMatchObject({
        code: 'format-unsupported',
        message: expect.stringContaining(`alpha_pattern for ${JSON.stringify(key)}`),
      })
      expect(performance.now() - started).toBeLessThan(1000)
    },
  )
})

/** Two hundred patterns. */
const many = (key: (index: number) => string) =>
  Object.fromEntries(Array.from({ length: 200 }, (_, index) => [key(index), 4]))

test('many expressions that repeat are named, many names are not', async () => {
  const all = linears()
  await expectExact(
    peftFolder({ alpha_pattern: many((index) => `layers.${index}.self_attn.q_proj`) }),
    all,
    (m) => (isQ(m) ? 2 : 8),
  )
  expect(await fault(peftFolder({ alpha_pattern: many((index) => `.*${index}.*x`) }))).toMatchObject({
    message: expect.stringContaining('alpha_pattern for ".*16.*x"'),
  })
})

describe('names of tensors', () => {
  const all = linears()
  test.each<[string, (module: string, side: 'A' | 'B') => string]>([
    ['as PEFT saves them', (m, side) => `base_model.model.${m}.lora_${side}.weight`],
    ['without the prefix', (m, side) => `${m}.lora_${side}.weight`],
    ['with the adapter’s name', (m, side) => `base_model.model.${m}.lora_${side}.default.weight`],
    ['with a name of its own', (m, side) => `base_model.model.${m}.lora_${side}.my-adapter_2.weight`],
    ['without the last word', (m, side) => `${m}.lora_${side}`],
    ['of a model within a model', (m, side) => `base_model.model.model.${m}.lora_${side}.weight`],
    ['of a model that also sees', (m, side) => `base_model.model.model.language_${m}.lora_${side}.weight`],
    ['of a compiled model', (m, side) => `base_model.model._orig_mod.${m}.lora_${side}.weight`],
    [
      'of a model on many devices',
      (m, side) =>
        `module.base_model.model.${m.replace('.self', '._checkpoint_wrapped_module.self')}.lora_${side}.weight`,
    ],
    [
      'of an adapter around an adapter',
      (m, side) => `base_model.model.base_model.model.${m}.lora_${side}.weight`,
    ],
    ['of blocks alone', (m, side) => `${m.replace('model.', '')}.lora_${side}.weight`],
  ])('%s', async (_, name) => {
    const role = await expectExact(peftFolder({}, peftTensors(all, name)), all, () => 8)
    expect(role.warnings).toEqual([])
  })

  test('two adapters in one file are not mixed', async () => {
    const [one, other] = ['one', 'other'].map((adapter) =>
      peftTensors(
        all
          .slice(0, 2)
          .map((each) => ({ ...each, module: each.module.replace('0', adapter === 'one' ? '0' : '1') })),
        (m, side) => `${m}.lora_${side}.${adapter}.weight`,
      ),
    )
    expect(await fault(peftFolder({}, new Map([...one!, ...other!])))).toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining('several adapters: one, other'),
    })
  })

  test.each<[string, string]>([
    [`base_model.model.${Q0}.lora_magnitude_vector`, 'magnitudes of DoRA'],
    [`base_model.model.${Q0}.lora_magnitude_vector.weight`, 'magnitudes of DoRA'],
    [`base_model.model.${Q0}.lora_B.bias`, 'a bias of a LoRA'],
    ['base_model.model.lm_head.weight', 'whole weights'],
    ['base_model.model.model.embed_tokens.modules_to_save.weight', 'whole weights'],
    ['base_model.model.score.modules_to_save.default.weight', 'whole weights'],
    [`base_model.model.${Q0}.base_layer.weight`, 'whole weights'],
    [`base_model.model.${Q0}.bias`, 'whole weights'],
    ['base_model.model.model.embed_tokens.lora_embedding_A', 'a LoRA of an embedding'],
    ['base_model.model.model.layers.0.self_attn.qkv_proj.lora_A.weight', 'a fused linear'],
    ['base_model.model.model.layers.0.mlp.experts.3.up_proj.lora_A.weight', 'a mixture of experts'],
    ['base_model.model.transformer.h.0.attn.c_attn.lora_A.weight', 'a fused linear'],
    ['base_model.model.vision_tower.encoder.layers.0.self_attn.q_proj.lora_A.weight', 'no LoRA matrix'],
    [`base_model.model.${Q0}.lora_diag`, 'no LoRA matrix'],
  ])('%s is refused as what it is', async (name, what) => {
    const tensors = new Map([...peftTensors(all), [name, f32([2, 4], new Float32Array(8))] as const])
    expect(await fault(peftFolder({}, tensors))).toMatchObject({
      code: 'format-unsupported',
      message: expect.stringMatching(new RegExp(`${name.replaceAll('.', '\\.')}, .*${what}`)),
    })
  })
})

describe('which modules an adapter is about', () => {
  const all = linears()
  const left = (role: PeftRole): readonly string[] =>
    all
      .map(({ module }) => module)
      .filter((module) => {
        const isThere = role.config.projections.some((projection) => module.endsWith(`${projection}_proj`))
        return !isThere || readDelta(role, module).every((value) => value === 0)
      })
  const V0 = Q0.replace('q_', 'v_')
  const [Q1, V1] = [Q0, V0].map((module) => module.replace('0', '1'))

  test.each<[string, Record<string, unknown>, readonly (string | undefined)[]]>([
    ['ends of names', { target_modules: ['q_proj', 'self_attn.v_proj'] }, []],
    ['an expression', { target_modules: '.*self_attn\\.(q|v)_proj' }, []],
    ['all linears', { target_modules: 'all-linear' }, []],
    ['one path', { target_modules: [Q0, V0, 'layers.1.self_attn.q_proj'] }, [V1]],
    ['one of two names', { target_modules: ['q_proj'] }, [V0, V1]],
    ['an expression for one', { target_modules: '.*layers\\.1\\..*' }, [Q0, V0]],
    ['one layer', { layers_to_transform: 1 }, [Q0, V0]],
    ['a list of layers', { layers_to_transform: [0], layers_pattern: 'layers' }, [Q1, V1]],
    ['no layers', { layers_to_transform: [] }, []],
    ['some left out', { exclude_modules: ['layers.0.self_attn.q_proj'] }, [Q0]],
    ['left out by an expression', { exclude_modules: '.*v_proj' }, [V0, V1]],
  ])('%s: what the configuration does not name is passed over, and told', async (_, change, expected) => {
    const role = await readPeft(peftFolder(change), 2)
    expect(left(role)).toEqual(expected)
    const told = role.warnings.filter((warning) => warning.includes('does not name'))
    const words = expect.stringContaining(`${expected.length} linears, such as ${expected[0]}`)
    expect(told).toEqual(expected.length > 0 ? [words] : [])
  })

  test('an expression that may take long decides nothing', async () => {
    const long = `(?:.*?(?:language|text).*?(?:self_attn|attn|mlp).*?(?:k_proj|v_proj).*?)|(?:\\bmodel\\.layers\\.[\\d]{1,}\\.x)`
    for (const target_modules of [long, '(.*)*q_proj', '(']) {
      const role = await readPeft(peftFolder({ target_modules }), 2)
      expect(left(role)).toEqual([])
      expect(role.warnings).toEqual([])
    }
  })

  test('what the configuration names, but the weights lack, is told', async () => {
    const names = ['q_proj', 'v_proj', 'up_proj', 'gate_proj', 'c_attn']
    expect((await readPeft(peftFolder({ target_modules: names }), 2)).warnings).toEqual([
      expect.stringContaining('names up_proj, gate_proj, but the weights have no matrices'),
    ])
  })

  test('more blocks than the backbone has are of another model, told by name', async () => {
    await expect(readPeft(peftFolder(), 1)).rejects.toThrow(
      /^the LoRA is made for owner\/model: it has matrices for block 1, the backbone has 1 blocks$/,
    )
  })

  test('a configuration for other modules is a lie', async () => {
    expect(await fault(peftFolder({ target_modules: ['k_proj'] }))).toMatchObject({
      code: 'format-invalid',
      message: expect.stringContaining(`names none of the modules that the weights are of, such as ${Q0}`),
    })
  })
})

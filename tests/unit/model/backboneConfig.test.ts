import { describe, expect, test } from 'vitest'

import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'

describe('config.json', () => {
  test.each([
    ['num_hidden_layers', 3, 'tiny.onnx has num_hidden_layers 2, expected 3 of config.json'],
    ['num_key_value_heads', 4, 'tiny.onnx has num_key_value_heads 2, expected 4 of config.json'],
    ['head_dim', 8, 'tiny.onnx has head_dim 16, expected 8 of config.json'],
    ['vocab_size', 41, 'tiny.onnx has vocab_size 40, expected 41 of config.json'],
    ['rope_theta', 500_000, 'tiny.onnx rotates with rope_theta 10000, expected 500000 of config.json'],
    ['rms_norm_eps', 1e-6, 'tiny.onnx has an RMS norm with epsilon'],
    ['hidden_act', 'gelu', 'config.json has hidden_act "gelu", expected one of silu, swish'],
    ['hidden_activation', 'gelu_pytorch_tanh', 'tiny.onnx gates by silu, expected gelu of config.json'],
    ['use_sliding_window', true, 'config.json has sliding_window undefined, expected how many tokens'],
    ['layer_types', ['chunked_attention'], 'expected full or sliding attention in every layer'],
    ['partial_rotary_factor', 0.5, 'rotates 16 of 16 dimensions of a head, expected 8 of config.json'],
    ['hidden_size', 'wide', 'config.json has hidden_size "wide", expected a positive number'],
  ])('with %s %s disagrees', async (key, value, message) => {
    await expect(recogniseBytes(writeOnnx(tinyDecoder()), { ...TINY_CONFIG, [key]: value })).rejects.toThrow(
      message,
    )
  })

  test('with LongRoPE bounds positions where other frequencies would take over', async () => {
    const config = {
      ...TINY_CONFIG,
      rope_scaling: { type: 'longrope' },
      original_max_position_embeddings: 12,
    }
    const bytes = writeOnnx(tinyDecoder())
    expect((await recogniseBytes(bytes, config)).maxPositions).toBe(12)
    const inside = { type: 'longrope', original_max_position_embeddings: 8 }
    expect((await recogniseBytes(bytes, { ...TINY_CONFIG, rope_scaling: inside })).maxPositions).toBe(8)
  })

  test.each([
    [{ sliding_window: 12 }, [12, 12]],
    [{ sliding_window: 12, use_sliding_window: true, max_window_layers: 1 }, [null, 12]],
    [{ sliding_window: 12, use_sliding_window: false }, [null, null]],
    [{ sliding_window: 12, layer_types: ['full_attention', 'full_attention'] }, [null, null]],
    [{ sliding_window: 12, layer_types: ['sliding_attention', 'full_attention'] }, [12, null]],
    [{ sliding_window: 12, sliding_window_pattern: 2 }, [12, null]],
    [{ sliding_window: null }, [null, null]],
  ])('with %o gives the layers the windows %o', async (config, windows) => {
    const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), { ...TINY_CONFIG, ...config })
    expect(decoder.blocks.map(({ window }) => window)).toEqual(windows)
    expect(decoder.maxPositions).toBe(TINY.positions)
  })
})

import { expect, test } from 'vitest'

import { readRepository } from '../../../src/hub/repository.ts'

test.each([
  ['onnx-community/Qwen2.5-0.5B-Instruct', 'onnx-community/Qwen2.5-0.5B-Instruct', 'main'],
  ['  HuggingFaceTB/SmolLM2-135M-Instruct\n', 'HuggingFaceTB/SmolLM2-135M-Instruct', 'main'],
  ['a/b@v1.0', 'a/b', 'v1.0'],
  ['a.b/c', 'a.b/c', 'main'],
  ['https://huggingface.co/a/b', 'a/b', 'main'],
  ['https://huggingface.co/a/b/', 'a/b', 'main'],
  ['https://huggingface.co/a/b?library=transformers.js', 'a/b', 'main'],
  ['https://huggingface.co/a/b/tree/refs%2Fpr%2F3', 'a/b', 'refs/pr/3'],
  ['https://huggingface.co/a/b/blob/v2/onnx/model.onnx', 'a/b', 'v2'],
  ['huggingface.co/a/b/tree/main', 'a/b', 'main'],
  ['hf.co/a/b', 'a/b', 'main'],
  ['http://localhost.test/models/a/b', 'a/b', 'main'],
])('%s', (text, name, revision) => {
  expect(readRepository(text)).toEqual({ name, revision })
})

test.each(['', 'b', 'a/b/c', 'a b/c', '../b', 'a/b@x y', 'https://huggingface.co/a', '-a/b'])(
  '"%s" names none',
  (text) => {
    expect(() => readRepository(text)).toThrow(/names no model, expected OWNER\/NAME/)
  },
)

import { expect, test } from 'vitest'

import { withoutComments } from '../../../tools/plainShaders.ts'

test('a shader loses what people read of it and nothing else', () => {
  const code = [
    '// Sums, forward.',
    '//   y = a / b',
    '',
    'const HALF = 0.5; // of one',
    '',
    'fn half_of(x: f32) -> f32 {',
    '  // Both signs alike.',
    '  return x / 2.0;',
    '}',
    '',
  ].join('\n')
  expect(withoutComments(code)).toBe('const HALF = 0.5;\nfn half_of(x: f32) -> f32 {\nreturn x / 2.0;\n}')
})

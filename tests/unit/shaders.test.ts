import { describe, expect, test } from 'vitest'

const shaders = import.meta.glob<string>('../../shaders/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** A function or struct of a shader, as it stands there. */
interface Definition {
  readonly name: string
  readonly text: string
}

/** Every function and struct of a text: from its line to the first closing brace at a line's beginning. */
function definitionsIn(code: string): Definition[] {
  return [...code.matchAll(/^(?:@.* )?(?:fn|struct) (\w+)[^]*?^\}/gm)].map(([text, name = '']) => {
    return { name, text }
  })
}

/** What stands in several shaders under one name, with the files of each text where there is more than one. */
function differing(files: readonly { readonly stem: string; readonly code: string }[]): string[] {
  const texts = new Map<string, Map<string, string[]>>()
  for (const { stem, code } of files) {
    for (const { name, text } of definitionsIn(code)) {
      const byText = texts.get(name) ?? new Map<string, string[]>()
      texts.set(name, byText.set(text, [...(byText.get(text) ?? []), stem]))
    }
  }
  texts.delete('Uniforms')
  return [...texts]
    .filter(([, byText]) => byText.size > 1)
    .map(([name, byText]) => `${name}: ${[...byText.values()].map((stems) => stems.join(', ')).join(' | ')}`)
}

const files = Object.entries(shaders).map(([path, code]) => ({
  stem: path.replace(/^.*\/|\.wgsl$/g, ''),
  code,
}))

describe('what several shaders repeat', () => {
  test('a function or struct of one name has one text', () => {
    expect(files.length).toBeGreaterThan(0)
    expect(differing(files)).toEqual([])
  })

  test('is found where it differs', () => {
    const code = 'struct Row {\n  slot: u32,\n}\n\nfn twice(x: f32) -> f32 {\n  return 2.0 * x;\n}\n'
    const other = code.replace('2.0', '2.5')
    expect(
      differing([
        { stem: 'a', code },
        { stem: 'b', code },
      ]),
    ).toEqual([])
    expect(
      differing([
        { stem: 'a', code },
        { stem: 'b', code: other },
        { stem: 'c', code },
      ]),
    ).toEqual(['twice: a, c | b'])
  })
})

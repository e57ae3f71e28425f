import { describe, expect, test } from 'vitest'

import type { Kernel } from '../../src/gpu/kernel.ts'
import { withoutComments } from '../../tools/plainShaders.ts'
import { testDevice } from '../support/device.ts'

const shaders = import.meta.glob<string>('../../shaders/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
})
const wrappers = import.meta.glob<Readonly<Record<string, unknown>>>('../../src/kernels/*.ts', {
  eager: true,
})

function isKernel(value: unknown): value is Kernel {
  return typeof value === 'object' && value !== null && 'code' in value && 'bindings' in value
}

const kernels = Object.entries(wrappers).flatMap(([path, exports]) =>
  Object.values(exports)
    .filter(isKernel)
    .map((kernel) => ({ kernel, wrapper: path.replace('../../', '') })),
)

const files = Object.entries(shaders).map(([path, code]) => {
  const stem = path.replace(/^.*\/|\.wgsl$/g, '')
  return { stem, code, owner: kernels.find(({ kernel }) => kernel.name === stem) }
})

/** The comment at the top, up to the first line that is none. */
function headerOf(code: string): string[] {
  const lines = code.split('\n')
  return lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('//')),
  )
}

const isEquation = (line: string): boolean => line.startsWith('//   ')

describe.each(files)('shaders/$stem.wgsl', ({ stem, code, owner }) => {
  test('compiles without a message', async () => {
    const device = await testDevice()
    const { messages } = await device.createShaderModule({ code }).getCompilationInfo()
    expect(messages.map(({ lineNum, message }) => `${lineNum}: ${message}`)).toEqual([])
  })

  test('compiles as the page has it, without comments', async () => {
    const device = await testDevice()
    const { messages } = await device.createShaderModule({ code: withoutComments(code) }).getCompilationInfo()
    expect(messages.map(({ lineNum, message }) => `${lineNum}: ${message}`)).toEqual([])
  })

  test('has a header of four parts: name, equation, parallel plan, reference and wrapper', () => {
    const header = headerOf(code)
    const equation = header.filter(isEquation)
    const firstEquation = header.findIndex(isEquation)
    const reference = header.findIndex((line) => line.startsWith('// Reference: '))
    expect(header[0]).toMatch(/^\/\/ [A-Z].*\.$/)
    expect(firstEquation).toBe(1)
    expect(equation.join('\n')).toContain('=')
    expect(reference).toBeGreaterThan(firstEquation + equation.length)
    expect(header.slice(reference).join('\n')).toContain(`Wrapper: ${owner?.wrapper}`)
  })

  test('has one entry point, called like the file', () => {
    expect([...code.matchAll(/@compute[^{]*?fn (\w+)\(/g)].map(([, name]) => name)).toEqual([stem])
  })

  test('is what its wrapper says', () => {
    const [, fields = ''] = /struct Uniforms \{([^}]*)\}/.exec(code) ?? []
    const uniforms = [...fields.matchAll(/^\s*(\w+): (\w+),/gm)].map(([, name, type]) => [name, type])
    const storage = [...code.matchAll(/@group\(0\) @binding\((\d+)\) var<storage, read(?:_write)?> (\w+):/g)]
    expect(owner?.kernel.code).toBe(code)
    expect(Object.entries(owner?.kernel.uniforms ?? {})).toEqual(uniforms)
    expect(storage.map(([, , name]) => name)).toEqual(owner?.kernel.bindings)
    expect(storage.map(([, binding]) => Number(binding))).toEqual(storage.map((_, index) => index + 1))
    expect(code).toContain('@group(0) @binding(0) var<uniform> uniforms: Uniforms;')
    expect(storage.length).toBeLessThanOrEqual(8)
    expect([...code.matchAll(/@binding\(/g)]).toHaveLength(storage.length + 1)
  })
})

test('the device is no better than a phone, but for the size of its buffers', async () => {
  const { limits, features } = await testDevice()
  expect(limits).toMatchObject({
    maxBindGroups: 4,
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16_384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupsPerDimension: 65_535,
  })
  const more = [...features].filter((name) => name !== 'core-features-and-limits')
  expect(more.filter((name) => name !== 'subgroups')).toEqual([])
})

test('no kernel needs a feature but the one for processors that emulate a card', () => {
  const needing = files.filter(({ code }) => /^enable /m.test(code)).map(({ stem }) => stem)
  expect(needing).toEqual(['project_direct'])
})

test('every kernel has its file', () => {
  const stems = files.map(({ stem }) => stem)
  expect(kernels.map(({ kernel }) => kernel.name).toSorted()).toEqual(stems.toSorted())
})

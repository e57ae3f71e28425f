import { expect, test } from 'vitest'

import { isSoftware, namesOf, requestDevice } from '../../../src/gpu/device.ts'

test.each([
  ['Mesa, as Dawn names it', { vendor: 'mesa', architecture: 'software' }],
  ['Mesa by its description', { description: 'llvmpipe (LLVM 19.1.7, 256 bits)' }],
  ['Windows’ own', { vendor: 'microsoft', architecture: 'warp' }],
  ['Windows’ own by its description', { description: 'Microsoft Basic Render Driver' }],
  ['Chromium’s', { vendor: 'google', architecture: 'swiftshader' }],
  ['whatever says so', { vendor: 'acme', isFallbackAdapter: true }],
])('%s is a processor that plays a card', (_, info) => {
  expect(isSoftware({ info })).toBe(true)
})

test('so is an adapter that says so where older browsers have it', () => {
  expect(isSoftware({ info: { vendor: 'acme' }, isFallbackAdapter: true })).toBe(true)
  expect(isSoftware({ isFallbackAdapter: true })).toBe(true)
})

test.each([
  ['NVIDIA', { vendor: 'nvidia', architecture: 'ampere', isFallbackAdapter: false }],
  ['a card through Mesa', { vendor: 'intel', description: 'Mesa Intel(R) Xe Graphics (TGL GT2)' }],
  [
    'a card through Windows’ layer',
    { vendor: 'microsoft', description: 'Microsoft Direct3D12 (NVIDIA RTX A2000)' },
  ],
  ['Apple’s', { vendor: 'apple', architecture: 'metal-3' }],
  ['one that says nothing', {}],
])('%s is a card', (_, info) => {
  expect(isSoftware({ info })).toBe(false)
})

test('a browser that says nothing of its adapter gives a card without names', () => {
  expect(isSoftware({})).toBe(false)
  expect(namesOf({})).toEqual({ vendor: '', architecture: '', device: '', description: '' })
  expect(namesOf({ info: { vendor: 'arm' } })).toMatchObject({ vendor: 'arm', description: '' })
})

test.each([
  ['a processor', { vendor: 'google', architecture: 'swiftshader' }, ['subgroups'], ['subgroups']],
  ['a processor without subgroups', { vendor: 'google', architecture: 'swiftshader' }, [], []],
  ['a card', { vendor: 'nvidia', architecture: 'ampere' }, ['subgroups', 'shader-f16'], []],
])('of %s no feature is used but those that help to emulate a card', async (_, info, features, expected) => {
  const asked: unknown[] = []
  const adapter = {
    info,
    limits: {},
    features: new Set(features),
    requestDevice: ({ requiredFeatures }: GPUDeviceDescriptor) => {
      asked.push(requiredFeatures)
      return Promise.reject(new Error('nothing is computed here'))
    },
  } as unknown as GPUAdapter
  await expect(requestDevice(adapter)).rejects.toMatchObject({ code: 'webgpu-unavailable' })
  expect(asked).toEqual([expected])
})

import { describe, expect, test } from 'vitest'

import hubs from '../../../public/models/hubs.json' with { type: 'json' }
import { parseHubs } from '../../../src/hub/hubs.ts'
import {
  cacheControl,
  developmentHeaders,
  headersFile,
  securityHeaders,
} from '../../../tools/securityHeaders.ts'

function directives(headers: Readonly<Record<string, string>>): Map<string, string[]> {
  const policy = headers['Content-Security-Policy'] ?? ''
  return new Map(
    policy.split('; ').map((line) => {
      const [name = '', ...values] = line.split(' ')
      return [name, values]
    }),
  )
}

describe('the policy of the built site', () => {
  const policy = directives(securityHeaders)

  test('reaches nothing but its own origin, and the hubs that the site names', () => {
    expect(policy.get('default-src')).toEqual(["'none'"])
    const ofHubs = hubs.flatMap(({ url, hosts }) => [url, ...hosts])
    expect(policy.get('connect-src')).toEqual(["'self'", ...ofHubs])
    const hosts = [...policy.values()].flat().filter((value) => /\*|:\/\//.test(value))
    expect(hosts).toEqual(ofHubs)
    expect(parseHubs(hubs).map(({ url }) => url)).toEqual(hubs.map(({ url }) => url))
  })

  test('runs neither inline scripts nor evaluated text, and loads no script from data', () => {
    expect(policy.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"])
    expect(policy.get('worker-src')).toEqual(["'self'"])
    expect(policy.get('require-trusted-types-for')).toEqual(["'script'"])
  })

  test('isolates the page and tells nobody where it was', () => {
    expect(securityHeaders).toMatchObject({
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    })
  })
})

test('the dev server loosens scripts, styles and its own socket, nothing else', () => {
  const [strict, loose] = [directives(securityHeaders), directives(developmentHeaders)]
  const changed = [...strict.keys()].filter((name) => loose.get(name)?.join() !== strict.get(name)?.join())
  expect(changed.toSorted()).toEqual([
    'connect-src',
    'require-trusted-types-for',
    'script-src',
    'style-src',
    'trusted-types',
  ])
  expect(
    loose
      .get('connect-src')
      ?.filter((value) => !strict.get('connect-src')?.includes(value))
      .every((value) => /^ws:\/\/(localhost|127\.0\.0\.1):/.test(value)),
  ).toBe(true)
})

test('the _headers file says the same for every path, in lines that static hosts take', () => {
  const [pattern, ...lines] = headersFile().split('\n\n')[0]!.split('\n')
  expect(pattern).toBe('/*')
  expect(lines).toEqual(Object.entries(securityHeaders).map(([name, value]) => `  ${name}: ${value}`))
  for (const line of headersFile().split('\n')) expect(line.length).toBeLessThan(2000)
})

test('only files with a hash in their name are kept without asking', () => {
  expect(cacheControl('/assets/index-BRmB7xsx.js')).toContain('immutable')
  for (const path of ['/', '/index.html', '/models/starter/onnx/model_fp16.onnx']) {
    expect(cacheControl(path)).toBe('no-cache')
  }
})

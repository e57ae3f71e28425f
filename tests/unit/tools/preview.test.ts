import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { PreviewServer } from 'vite'
import { preview } from 'vite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { root } from '../../../tools/install.mjs'
import { securityHeaders } from '../../../tools/securityHeaders.ts'

describe('the server of the build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hycora-preview-'))
  let server: PreviewServer
  let address: string

  beforeAll(async () => {
    for (const path of ['assets', 'models']) mkdirSync(join(folder, path))
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>')
    writeFileSync(join(folder, 'assets', 'worker-1a2b3c4d.js'), 'export {}')
    writeFileSync(join(folder, 'assets', 'ort-1a2b3c4d.wasm'), '\0asm')
    writeFileSync(join(folder, 'models', 'model.onnx'), 'abcdefghij')
    // As where it is served: outside Vitest, whose own pages need other headers.
    vi.stubEnv('VITEST', '')
    server = await preview({
      root,
      configFile: join(root, 'vite.config.ts'),
      logLevel: 'silent',
      build: { outDir: folder },
      preview: { port: 0, host: '127.0.0.1' },
    })
    vi.unstubAllEnvs()
    address = server.resolvedUrls?.local[0] ?? ''
  })
  afterAll(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  test.each([
    ['', 200],
    ['assets/worker-1a2b3c4d.js', 200],
    ['assets/ort-1a2b3c4d.wasm', 200],
    ['models/model.onnx', 200],
    ['models/none.json', 404],
  ])('sends the strict headers with "%s"', async (path, status) => {
    const response = await fetch(address + path)
    expect(response.status).toBe(status)
    const sent = Object.keys(securityHeaders).map((name) => [name, response.headers.get(name)])
    expect(Object.fromEntries(sent)).toEqual(securityHeaders)
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    await response.arrayBuffer()
  })

  test('sends a part of a model, and nothing that has not changed', async () => {
    const part = await fetch(`${address}models/model.onnx`, { headers: { Range: 'bytes=2-4' } })
    expect([part.status, await part.text()]).toEqual([206, 'cde'])
    const tag = part.headers.get('etag') ?? ''
    const again = await fetch(`${address}models/model.onnx`, { headers: { 'If-None-Match': tag } })
    expect([again.status, await again.text()]).toEqual([304, ''])
  })
})

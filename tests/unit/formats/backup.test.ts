import { unzipSync, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'

import { readBackup, writeBackup, type BackupPart } from '../../../src/formats/backup.ts'
import type { JsonRecord } from '../../../src/core/json.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const PARTS: readonly BackupPart[] = [
  {
    kind: 'pack',
    name: 'My pack',
    bytes: new Uint8Array(5000).map((_, index) => index * 31),
    details: { backboneId: 'starter' },
  },
  { kind: 'chat', name: '../../evil 孙', bytes: utf8('{"mes":"Hi"}\n'.repeat(100_000)) },
  { kind: 'role', name: 'Ada', bytes: utf8('{"name":"Ada"}') },
  { kind: 'settings', name: 'settings', bytes: utf8('{}') },
]
const ORIGIN = { createdAt: 1_700_000_000_000, software: 'HyCoRA playground 0.1.0' }

const comparable = (part: BackupPart) => ({ ...part, bytes: Buffer.from(part.bytes).toString('latin1') })

async function damaged(change: (files: Record<string, Uint8Array>) => void): Promise<Uint8Array> {
  const files = unzipSync(await writeBackup(PARTS, ORIGIN))
  change(files)
  return zipSync(files, { level: 0 })
}

function manifest(change: (value: Record<string, unknown>) => void) {
  return (files: Record<string, Uint8Array>): void => {
    const value = JSON.parse(Buffer.from(files['manifest.json']!).toString()) as Record<string, unknown>
    change(value)
    files['manifest.json'] = utf8(JSON.stringify(value))
  }
}

describe('backups', () => {
  test('every part comes back to the byte; the same parts give the same file', async () => {
    const bytes = await writeBackup(PARTS, ORIGIN)
    expect(Buffer.compare(await writeBackup(PARTS, ORIGIN), bytes)).toBe(0)
    const { createdAt, software, parts } = await readBackup(bytes, 'b.zip')
    expect({ createdAt, software }).toEqual(ORIGIN)
    expect(parts.map(comparable)).toEqual(PARTS.map(comparable))
  })

  test('another program reads the archive', async () => {
    const files = unzipSync(await writeBackup(PARTS, ORIGIN))
    expect(Object.keys(files)).toEqual([
      'pack/00001.hycora.safetensors',
      'chat/00002.jsonl',
      'role/00003.json',
      'settings/00004.json',
      'manifest.json',
    ])
    const listed = JSON.parse(Buffer.from(files['manifest.json']!).toString()) as JsonRecord
    expect(listed).toMatchObject({ format: 'hycora-backup', version: 1 })
  })

  test.each([
    [
      'a changed part',
      (files: Record<string, Uint8Array>) => void (files['role/00003.json'] = utf8('{"name":"Bob"}')),
    ],
    ['a missing part', (files: Record<string, Uint8Array>) => void delete files['chat/00002.jsonl']],
    ['a part too many', (files: Record<string, Uint8Array>) => void (files['x'] = utf8(''))],
    ['no manifest', (files: Record<string, Uint8Array>) => void delete files['manifest.json']],
    ['another format', manifest((value) => (value['format'] = 'zip'))],
    ['no list', manifest((value) => (value['files'] = null))],
    [
      'a kind that is not known',
      manifest((value) => (value['files'] = [{ path: 'x', kind: 'toString', name: '' }])),
    ],
  ])('%s is refused', async (_, change) => {
    const bytes = await damaged(change)
    await expect(readBackup(bytes, 'b.zip')).rejects.toThrow(
      expect.objectContaining({ name: 'HycoraError', code: 'format-invalid' }),
    )
  })

  test('a later version is told apart', async () => {
    const bytes = await damaged(manifest((value) => (value['version'] = 2)))
    await expect(readBackup(bytes, 'b.zip')).rejects.toThrow(
      expect.objectContaining({ code: 'format-unsupported' }),
    )
  })
})

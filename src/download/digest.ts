import { contentName } from './servedFile.ts'
import type { ServedFile } from './servedFile.ts'

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/**
 * Reads a whole file through the hash that it is named by, in parts: it may be larger than what fits into memory. Of a file
 * without one the length is right, which was looked at as it came.
 *
 * @returns what is wrong, or nothing.
 */
export async function whatIsWrong(file: ServedFile, content: Blob): Promise<string> {
  if (file.version !== undefined) return ''
  const found = file.sha256 ? await streamed(content, 'sha256') : await streamed(content, 'git')
  const expected = file.sha256 || file.gitSha1
  if (found === expected) return ''
  return file.sha256
    ? `${file.path} has SHA-256 ${found}, expected ${file.sha256}`
    : `${file.path} has git hash ${found}, expected ${file.gitSha1 ?? contentName(file)}`
}

async function streamed(content: Blob, kind: 'sha256' | 'git'): Promise<string> {
  const hash =
    kind === 'sha256'
      ? (await import('@noble/hashes/sha2.js')).sha256.create()
      : (await import('@noble/hashes/legacy.js')).sha1.create()
  if (kind === 'git') hash.update(new TextEncoder().encode(`blob ${content.size}\0`))
  const reader = content.stream().getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return hexOf(hash.digest())
    hash.update(value)
  }
}

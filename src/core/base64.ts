const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const URL_SAFE = `${STANDARD.slice(0, 62)}-_`

/** Bytes as base64: the standard alphabet padded with `=`, or with `urlSafe` that of URLs without padding (RFC 4648). */
export function encodeBase64(
  bytes: Uint8Array,
  { urlSafe = false }: { readonly urlSafe?: boolean } = {},
): string {
  const alphabet = new TextEncoder().encode(urlSafe ? URL_SAFE : STANDARD)
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(0x3d)
  let end = 0
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    const count = Math.min(3, bytes.length - at) + 1
    for (let digit = 0; digit < count; digit++) out[end++] = alphabet[(group >> (18 - 6 * digit)) & 63] ?? 0
  }
  return new TextDecoder().decode(urlSafe ? out.subarray(0, end) : out)
}

/** The bytes of base64 text of either alphabet, padded or not, spaces and line breaks skipped; null where it is none. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const out = new Uint8Array(Math.floor((text.length * 3) / 4))
  let [end, group, bits, padding, digits] = [0, 0, 0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x20 || (code >= 9 && code <= 13)) continue
    if (code === 0x3d) {
      padding++
      continue
    }
    const digit = digitOf(code)
    if (digit < 0 || padding > 0) return null
    digits++
    group = ((group << 6) | digit) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[end++] = (group >> bits) & 255
    }
  }
  if (padding > 2 || digits % 4 === 1) return null
  return out.slice(0, end)
}

function digitOf(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code - 0x41
  if (code >= 0x61 && code <= 0x7a) return code - 0x61 + 26
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 52
  if (code === 0x2b || code === 0x2d) return 62
  return code === 0x2f || code === 0x5f ? 63 : -1
}

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

/** What a character is by its code: 0 to 63 a digit, or one of the three below. */
const MEANING = new Int8Array(128).fill(-1)
const [SPACE, PADDING] = [-2, -3]
for (let digit = 0; digit < 64; digit++) {
  MEANING[STANDARD.charCodeAt(digit)] = digit
  MEANING[URL_SAFE.charCodeAt(digit)] = digit
}
for (const space of ' \t\n\v\f\r') MEANING[space.charCodeAt(0)] = SPACE
MEANING['='.charCodeAt(0)] = PADDING

/** The bytes of base64 text of either alphabet, padded or not, spaces and line breaks skipped; null where it is none. */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const out = new Uint8Array(Math.floor((text.length * 3) / 4))
  let [end, group, digits, padding] = [0, 0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const digit = MEANING[text.charCodeAt(at)] ?? -1
    if (digit >= 0 && padding === 0) {
      group = (group << 6) | digit
      if ((++digits & 3) === 0) {
        out[end++] = group >> 16
        out[end++] = group >> 8
        out[end++] = group
        group = 0
      }
    } else if (digit === PADDING) padding++
    else if (digit !== SPACE) return null
  }
  const rest = digits & 3
  if (padding > 2 || rest === 1) return null
  if (rest >= 2) out[end++] = group >> (rest === 2 ? 4 : 10)
  if (rest === 3) out[end++] = group >> 2
  return out.subarray(0, end)
}

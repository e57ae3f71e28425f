import { plainBytes } from '../core/bytes.ts'
import type { CardPicture } from '../formats/cardSpec.ts'

/** The longest side of a kept picture. */
const MOST_PIXELS = 1024
const KINDS: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/gif',
  'image/avif',
])

/**
 * A stranger's picture as a PNG of pixels alone: whatever else the file held is gone. Null where it is none that the
 * browser reads.
 */
export async function plainPicture({ bytes, mime }: CardPicture): Promise<Blob | null> {
  if (!KINDS.has(mime) || typeof OffscreenCanvas === 'undefined') return null
  try {
    const picture = await createImageBitmap(new Blob([plainBytes(bytes)], { type: mime }))
    const scale = Math.min(1, MOST_PIXELS / Math.max(picture.width, picture.height))
    const width = Math.max(1, Math.round(picture.width * scale))
    const height = Math.max(1, Math.round(picture.height * scale))
    const canvas = new OffscreenCanvas(width, height)
    canvas.getContext('2d')?.drawImage(picture, 0, 0, width, height)
    picture.close()
    return await canvas.convertToBlob({ type: 'image/png' })
  } catch {
    return null
  }
}

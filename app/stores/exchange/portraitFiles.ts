// The portrait of a member as it is handed on. No state.
import { encodeBase64 } from '../../../src/core/base64.ts'
import { LONGEST_DRAWING } from '../../../src/cast/face.ts'
import type { CastMember } from '../../../src/cast/member.ts'
import { addressOf } from '../company/pictureAddress.ts'
import { siteUrl } from '../page/site.ts'

/** The side of a drawn portrait as pixels. */
const SIDE = 768

/** The portrait as a PNG; null where there is none that the page can draw. */
export async function portraitPng({ portrait }: Pick<CastMember, 'portrait'>): Promise<Blob | null> {
  if (portrait === null) return null
  try {
    const picture = new Image()
    picture.src = addressOf(portrait)
    await picture.decode()
    const isDrawn = typeof portrait === 'string'
    const scale = isDrawn ? SIDE / Math.max(picture.naturalWidth, picture.naturalHeight, 1) : 1
    const width = Math.max(1, Math.round((picture.naturalWidth || SIDE) * scale))
    const height = Math.max(1, Math.round((picture.naturalHeight || SIDE) * scale))
    const canvas = document.createElement('canvas')
    canvas.width = width
    canvas.height = height
    canvas.getContext('2d')?.drawImage(picture, 0, 0, width, height)
    return await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'))
  } catch {
    return null
  }
}

/** The drawing of a portrait that this site serves, as an address that a card can carry; null where it is none. */
export async function servedDrawing({ portrait }: Pick<CastMember, 'portrait'>): Promise<string | null> {
  if (typeof portrait !== 'string' || portrait.startsWith('data:')) return null
  try {
    const response = await fetch(siteUrl(portrait))
    if (!response.ok) return null
    const address = `data:image/svg+xml;base64,${encodeBase64(new Uint8Array(await response.arrayBuffer()))}`
    return address.length <= LONGEST_DRAWING ? address : null
  } catch {
    return null
  }
}

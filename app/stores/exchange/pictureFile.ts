// A picture of the visitor's choosing, as it is kept. No state.
import { HycoraError } from '../../../src/core/errors.ts'
import { askFileWorker } from '../../../src/engine/fileClient.ts'
import { openFileWorker } from '../engine/workers.ts'
import { storeText } from '../../words/store.ts'

/** More than a photograph has. */
const MOST_BYTES = 32 * 2 ** 20

/**
 * A picture as a PNG of at most 1,024 pixels a side, with nothing else of what its file held.
 *
 * @throws HycoraError `format-invalid` where it is none, too large or takes too long.
 */
export async function readPictureFile(file: File): Promise<Blob> {
  if (file.size > MOST_BYTES) {
    throw new HycoraError('format-invalid', storeText('picture.tooLarge', { name: file.name }))
  }
  const picture = await askFileWorker(openFileWorker, 'picture', { file })
  if (picture) return picture
  throw new HycoraError('format-invalid', storeText('picture.unread', { name: file.name }))
}

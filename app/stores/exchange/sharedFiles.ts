// Files that another program has shared with this page. No state.
import type { ArrivingFile } from '../../../src/exchange/arrival.ts'
import { notify } from '../page/notices.ts'
import { SHARED_CACHE } from '../page/sharedNames.ts'
import { receiveFiles } from './arrivals.ts'
import { storeText } from '../../words/store.ts'

/** Takes what lies there, once. */
export async function takeShared(): Promise<void> {
  const cache = await caches.open(SHARED_CACHE)
  const requests = await cache.keys()
  const files: ArrivingFile[] = []
  for (const request of requests) {
    const response = await cache.match(request)
    const name = decodeURIComponent(new URL(request.url).pathname.split('/').at(-1) ?? '')
    if (response) files.push({ path: name, file: new File([await response.blob()], name) })
    await cache.delete(request)
  }
  if (files.length > 0) await receiveFiles(files)
  else notify(storeText('shared.lost'))
}

// Parts of the page that come when they are first needed. No state.
import { HycoraError } from '../../../src/core/errors.ts'
import { fetchWords } from '../../words/catalogue.ts'
import { storeText } from '../../words/store.ts'

/**
 * What a dynamic import brings, with its texts in the language of the page.
 *
 * @throws HycoraError `download-failed` where it does not come: off line, or after the site has got a newer build.
 */
export async function laterPart<T>(load: () => Promise<T>): Promise<T> {
  try {
    const part = await load()
    await fetchWords()
    return part
  } catch (thrown) {
    throw new HycoraError('download-failed', storeText('page.part'), { cause: thrown })
  }
}

// Where the portraits of the company are to be had. No state of the page.
import { siteUrl } from '../page/site.ts'

/** Addresses of pictures that lie here, one for each as long as the page is open. */
const addresses = new WeakMap<Blob, string>()

/** The address under which a portrait is shown: a path of this site, a data: URL, or a picture that lies here. */
export function addressOf(portrait: string | Blob): string {
  if (typeof portrait === 'string') return portrait.startsWith('data:') ? portrait : siteUrl(portrait)
  const address = addresses.get(portrait) ?? URL.createObjectURL(portrait)
  addresses.set(portrait, address)
  return address
}

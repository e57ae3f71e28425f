/** Addresses of pictures that lie here, one for each as long as the page is open. */
const addresses = new WeakMap<Blob, string>()

/** The address under which a picture that lies here is shown. */
export function pictureAddress(picture: Blob): string {
  const address = addresses.get(picture) ?? URL.createObjectURL(picture)
  addresses.set(picture, address)
  return address
}

// Where the files of this site lie. No state.
/** The address of a file of this site, wherever the site lies. */
export function siteUrl(path: string): string {
  return new URL(import.meta.env.BASE_URL + path, document.baseURI).href
}

// Where files lie that another program shares with this page, until the page takes them. No state.

/** The cache in which the service worker puts them, each under an address that ends with its name. */
export const SHARED_CACHE = 'hycora-shared'
/** What the system sends them to, beside the page, and the field that has them (`manifest.webmanifest`). */
export const SHARE_ACTION = 'share'
export const SHARE_FIELD = 'files'
/** The hash of the page that takes them. */
export const SHARED_HASH = '#/shared'

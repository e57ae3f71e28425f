import hubs from '../public/models/hubs.json' with { type: 'json' }

type Policy = Readonly<Record<string, readonly string[]>>

/** The hubs of models that the page may ask, and where these keep their files. */
const hubHosts = hubs.flatMap(({ url, hosts }) => [url, ...hosts])

/** What the page may load and reach: nothing but its own origin, and the hubs where the visitor asks one. */
const strict: Policy = {
  'default-src': ["'none'"],
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'worker-src': ["'self'"],
  'connect-src': ["'self'", ...hubHosts],
  'img-src': ["'self'", 'blob:', 'data:'],
  'style-src': ["'self'"],
  'font-src': ["'self'"],
  'manifest-src': ["'self'"],
  'media-src': ["'none'"],
  'object-src': ["'none'"],
  'frame-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
  'require-trusted-types-for': ["'script'"],
  'trusted-types': ['app-worker', 'default'],
}

/** The dev server injects scripts and styles into the page and keeps a socket open. */
const loosened: Policy = {
  'script-src': ["'self'", "'unsafe-inline'", "'wasm-unsafe-eval'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'connect-src': ["'self'", ...hubHosts, 'ws://localhost:*', 'ws://127.0.0.1:*'],
}

function policyText(policy: Policy): string {
  return Object.entries(policy)
    .map(([directive, values]) => `${directive} ${values.join(' ')}`)
    .join('; ')
}

/** Cross-origin isolation, for WebAssembly threads and precise timers. */
export const isolationHeaders: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

const conductHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), payment=()',
}

/**
 * The headers of every response of the built site, on any host. Scripts carry them too: a worker is bound by the
 * policy of its own script, not by the page's.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': policyText(strict),
  ...isolationHeaders,
  ...conductHeaders,
}

const { 'require-trusted-types-for': _required, 'trusted-types': _names, ...untrusted } = strict

/** The headers of the dev server. */
export const developmentHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': policyText({ ...untrusted, ...loosened }),
  ...isolationHeaders,
  ...conductHeaders,
}

/**
 * How long a browser keeps a response: the build's hashed files for good; all others are asked for again and
 * validated by their ETag, so that an unchanged model costs no second download.
 */
export function cacheControl(path: string): string {
  return path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
}

/** The same headers as a `_headers` file, the form that static hosts read. */
export function headersFile(): string {
  const lines = Object.entries(securityHeaders).map(([name, value]) => `  ${name}: ${value}`)
  return `/*\n${lines.join('\n')}\n\n/assets/*\n  Cache-Control: ${cacheControl('/assets/')}\n`
}

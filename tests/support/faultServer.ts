import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it came, and what a good server would answer with. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly content: Buffer
  /** The bytes asked for: all of them without a range. */
  readonly from: number
  readonly to: number
  readonly isRange: boolean
  /** Resolves when the page has told of so many bytes. */
  readonly seen: (bytes: number) => Promise<void>
}

/** Answers in a good server's place. */
export type Fault = (exchange: Exchange) => void | Promise<void>

export interface FaultServer {
  readonly url: string
  /** Every request for a file that can be faulty: its path, with the range behind it. */
  readonly requests: string[]
  /** How the next requests for a path are answered wrongly, in their order. */
  readonly faults: Map<string, Fault[]>
  close(): Promise<void>
}

export interface FaultServerOptions {
  /** What lies at a path; undefined for nothing. */
  readonly read: (path: string) => Buffer | undefined
  readonly headers?: (path: string) => Readonly<Record<string, string>>
  /** Sees every request for something that is there. */
  readonly watch?: (request: IncomingMessage) => void
}

/** A server with strong ETags, ranges and If-Range, and with faults where a test wants them. */
export async function openFaultServer({ read, headers, watch }: FaultServerOptions): Promise<FaultServer> {
  const requests: string[] = []
  const faults = new Map<string, Fault[]>()
  const page = watchPage()
  const server = createServer((request, response) => {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (path === '/seen') {
      page.tell(Number(searchParams.get('bytes')))
      response.end()
      return
    }
    for (const [name, value] of Object.entries(headers?.(path) ?? {})) response.setHeader(name, value)
    const content = read(path)
    if (!content) {
      response.writeHead(404).end()
      return
    }
    const exchange = { request, response, content, ...readRange(request, content), seen: page.seen }
    watch?.(request)
    requests.push(exchange.isRange ? `${path} ${exchange.from}-${exchange.to - 1}` : path)
    void (faults.get(path)?.shift() ?? answerWell)(exchange)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    faults,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The mark of this content's version. */
export function tagOf(content: Buffer): string {
  return `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`
}

/** What a good server answers. */
export function answerWell({ request, response, content, from, to, isRange }: Exchange): void {
  const tag = tagOf(content)
  const condition = request.headers['if-range']
  if (!isRange || (condition !== undefined && condition !== tag)) {
    response.writeHead(200, { ETag: tag, 'Content-Length': content.length })
    response.end(content)
  } else if (from >= content.length) {
    response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end()
  } else {
    const part = content.subarray(from, to)
    response.writeHead(206, {
      ETag: tag,
      'Content-Length': part.length,
      'Content-Range': `bytes ${from}-${from + part.length - 1}/${content.length}`,
    })
    response.end(part)
  }
}

function readRange(request: IncomingMessage, content: Buffer): Pick<Exchange, 'from' | 'to' | 'isRange'> {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  if (!range) return { from: 0, to: content.length, isRange: false }
  return { from: Number(range[1]), to: Number(range[2]) + 1, isRange: true }
}

/** How far the page says it is, so that a fault can come at a byte and not at a time. */
function watchPage() {
  let waiting: { readonly bytes: number; readonly resolve: () => void }[] = []
  return {
    tell(bytes: number): void {
      for (const one of waiting) if (one.bytes <= bytes) one.resolve()
      waiting = waiting.filter((one) => one.bytes > bytes)
    },
    seen: (bytes: number): Promise<void> => new Promise((resolve) => waiting.push({ bytes, resolve })),
  }
}

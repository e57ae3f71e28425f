import { gzipSync } from 'node:zlib'

import { answerWell, tagOf } from './faultServer.ts'
import type { Exchange, Fault } from './faultServer.ts'

/** Sends what was asked for as far as `until`, and waits until the page has it. */
async function begin({ response, content, from, to, isRange, seen }: Exchange, until: number): Promise<void> {
  response.writeHead(isRange ? 206 : 200, {
    ETag: tagOf(content),
    'Content-Length': to - from,
    ...(isRange && { 'Content-Range': `bytes ${from}-${to - 1}/${content.length}` }),
  })
  response.write(content.subarray(from, until))
  if (until > from) await seen(until)
}

/** The connection breaks when the page has the bytes before `at`. */
export const cutAt =
  (at: number): Fault =>
  async (exchange) => {
    await begin(exchange, at)
    exchange.response.destroy()
  }

/** The connection breaks before an answer. */
export const cutAtOnce: Fault = ({ response }) => {
  response.destroy()
}

/** The connection breaks when the bytes before `at` are on their way, for those who tell nothing of what they have. */
export const breakAt =
  (at: number): Fault =>
  ({ response, content, from, to, isRange }) => {
    response.writeHead(isRange ? 206 : 200, {
      'Content-Length': to - from,
      ...(isRange && { 'Content-Range': `bytes ${from}-${to - 1}/${content.length}` }),
    })
    response.write(content.subarray(from, at), () => response.destroy())
  }

/** What was asked for, packed, under the length of what is sent. */
export const sendPacked =
  (change: (packed: Buffer) => Buffer = (packed) => packed): Fault =>
  ({ response, content }) => {
    const packed = change(gzipSync(content))
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': packed.length }).end(packed)
  }

/** Nothing comes behind the byte before `at`, and the connection stays open. */
export const stallAt =
  (at: number): Fault =>
  (exchange) =>
    begin(exchange, at)

/** Not even an answer comes. */
export const silence: Fault = () => undefined

/** Another status, without the file. */
export const refuse =
  (status: number, headers: Readonly<Record<string, string>> = {}): Fault =>
  ({ response }) => {
    response.writeHead(status, { 'Content-Type': 'text/plain', ...headers }).end('no')
  }

/** The whole of another content, whatever was asked for. */
export const sendInstead =
  (change: (content: Buffer) => Buffer, options: { readonly isChunked?: boolean } = {}): Fault =>
  ({ response, content }) => {
    const other = change(content)
    response.writeHead(200, options.isChunked ? {} : { 'Content-Length': other.length })
    // Written in two parts, so that no length is known beforehand where it is chunked.
    response.write(other.subarray(0, 100))
    response.end(other.subarray(100))
  }

/** What was asked for, in other bytes. */
export const changeBytes =
  (change: (content: Buffer) => Buffer): Fault =>
  (exchange) =>
    answerWell({ ...exchange, content: change(exchange.content) })

/** The right part under a Content-Range that is not its own. */
export const mislabel =
  (label: (exchange: Exchange) => string): Fault =>
  (exchange) => {
    const { response, content, from, to } = exchange
    response.writeHead(206, { 'Content-Range': label(exchange), 'Content-Length': to - from })
    response.end(content.subarray(from, to))
  }

/** The part asked for, from a version with other bytes and another mark, whatever If-Range says. */
export const continueAnother =
  (change: (content: Buffer) => Buffer, tag: string): Fault =>
  ({ response, content, from, to }) => {
    response.writeHead(206, {
      ETag: tag,
      'Content-Length': to - from,
      'Content-Range': `bytes ${from}-${to - 1}/${content.length}`,
    })
    response.end(change(content).subarray(from, to))
  }

/** The same, with one bit the other way round. */
export const flipBit =
  (at: number) =>
  (content: Buffer): Buffer => {
    const copy = Buffer.from(content)
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at)
    return copy
  }

/** Nothing comes behind the byte before `at`; `reached` resolves when the page has all before it. */
export function holdAt(at: number): { readonly fault: Fault; readonly reached: Promise<void> } {
  const waiting: (() => void)[] = []
  const reached = new Promise<void>((resolve) => waiting.push(resolve))
  const fault: Fault = async (exchange) => {
    await begin(exchange, at)
    for (const resolve of waiting) resolve()
  }
  return { fault, reached }
}

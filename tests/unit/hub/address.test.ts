import { expect, test } from 'vitest'

import { downloadFiles } from '../../../src/download/downloads.ts'
import { addressRefusal, listAddress, readAddress } from '../../../src/hub/address.ts'
import { playableVariants } from '../../../src/hub/variants.ts'
import { HycoraError } from '../../../src/core/errors.ts'

const PAGE = 'https://play.example/here/index.html'

const pathOf = (input: RequestInfo | URL): string =>
  new URL(input instanceof Request ? input.url : input).pathname

/** A site with files of these lengths, and its first page for whatever is not there. */
function siteWith(files: Readonly<Record<string, number>>, headers: Readonly<Record<string, string>> = {}) {
  const asked: string[] = []
  const fetcher = (input: RequestInfo | URL, { method = 'GET' }: RequestInit = {}): Promise<Response> => {
    const pathname = pathOf(input)
    asked.push(`${method} ${pathname}`)
    const bytes = files[pathname]
    if (bytes === undefined)
      return Promise.resolve(
        new Response('<html>', { headers: { 'Content-Type': 'text/html; charset=utf-8' } }),
      )
    const body = method === 'HEAD' ? null : new Uint8Array(bytes)
    const own = { 'Content-Length': String(bytes), 'Content-Type': 'application/octet-stream', ETag: '"1"' }
    return Promise.resolve(new Response(body, { headers: { ...own, ...headers } }))
  }
  return { fetcher, asked }
}

const FILES = {
  '/m/a%20b/config.json': 300,
  '/m/a%20b/generation_config.json': 300,
  '/m/a%20b/tokenizer.json': 4000,
  '/m/a%20b/onnx/model_q4.onnx': 2000,
  '/m/a%20b/onnx/model_q4.onnx_data': 17 * 2 ** 20,
  '/m/a%20b/onnx/model_q4.onnx_data_1': 70,
  '/m/a%20b/onnx/model.onnx': 9000,
}

test.each([
  ['/m/a b', 'a b', 'https://play.example/m/a%20b/'],
  ['../m/a%20b/', 'a b', 'https://play.example/m/a%20b/'],
  ['https://play.example/m/a%20b/onnx/model_q4.onnx', 'a b', 'https://play.example/m/a%20b/'],
  ['/onnx/model.onnx', 'play.example', 'https://play.example/'],
  ['/model.onnx', 'play.example', 'https://play.example/'],
])('%s is a place of this site', (typed, name, folder) => {
  expect(readAddress(typed, PAGE)).toMatchObject({ name, folder })
})

test.each([
  ['https://elsewhere.example/m/', /^https:\/\/elsewhere\.example\/m\/ lies on another site than this page/],
  ['//elsewhere.example/m/', /lies on another site/],
  ['http://play.example/m/', /lies on another site/],
  ['data:text/plain,1', /lies on another site/],
  ['  ', /is no path of this site/],
  ['https://', /is no path of this site/],
])('"%s" is refused in a sentence', (typed, message) => {
  expect(() => readAddress(typed, PAGE)).toThrow(message)
})

test('a folder of the site has the forms whose files are there, with what belongs to each', async () => {
  const { fetcher, asked } = siteWith(FILES)
  const address = readAddress('/m/a b', PAGE)
  const files = await listAddress(address, { fetcher })
  const variants = playableVariants(address.name, files)
  expect(variants.map(({ label, root, model, bytes }) => [label, root, model, bytes])).toEqual([
    ['fp32', '', 'onnx/model.onnx', 13_600],
    ['q4', '', 'onnx/model_q4.onnx', 6670 + 17 * 2 ** 20],
  ])
  // Nothing of a file was sent.
  expect(asked.filter((one) => !one.startsWith('HEAD'))).toEqual([])
  const versions = files.map(({ version }) => version)
  expect(new Set(versions).size).toBe(files.length)
  expect(files.filter(({ chunks }) => chunks).map(({ path }) => path)).toEqual(['onnx/model_q4.onnx_data'])
})

test('the path of an ONNX file is that form alone', async () => {
  const address = readAddress('/m/a b/onnx/model_q4.onnx', PAGE)
  const files = await listAddress(address, siteWith(FILES))
  expect(playableVariants(address.name, files)).toMatchObject([{ label: 'q4', model: 'onnx/model_q4.onnx' }])
})

test('another version of a file is another file, whatever its length', async () => {
  const address = readAddress('/m/a b', PAGE)
  const versions = async (headers: Readonly<Record<string, string>>) =>
    (await listAddress(address, siteWith(FILES, headers))).map(({ version }) => version)
  const before = await versions({})
  expect(await versions({})).toEqual(before)
  const behind = await versions({ ETag: '"2"' })
  expect(behind.filter((version) => before.includes(version))).toEqual([])
})

test('a text that comes compressed is counted, and weights that do are refused', async () => {
  const address = readAddress('/m/a b/onnx/model.onnx', PAGE)
  const coded = siteWith(FILES, { 'Content-Encoding': 'gzip' })
  await expect(listAddress(address, coded)).rejects.toThrow(/model\.onnx comes without its length/)
  const fetcher: typeof fetch = (input, init) =>
    (pathOf(input).endsWith('.json') ? coded : siteWith(FILES)).fetcher(input, init)
  const files = await listAddress(address, { fetcher })
  expect(files.find(({ path }) => path === 'tokenizer.json')?.bytes).toBe(4000)
})

test.each([
  [siteWith({}).fetcher, /has no ONNX model under a usual name: give the path of the \.onnx file itself/],
  [() => Promise.resolve(new Response(null, { status: 503 })), /the server answered 503/],
  [() => Promise.reject(new TypeError('no network')), /cannot be asked for: no network/],
])('a site without a model there, or without an answer, is told', async (fetcher, message) => {
  await expect(listAddress(readAddress('/m/', PAGE), { fetcher })).rejects.toThrow(message)
})

test('what is fetched has the length that was stated, or is not used', async () => {
  const address = readAddress('/m/a b', PAGE)
  const files = await listAddress(address, siteWith(FILES))
  const wanted = files.filter(({ path }) => path === 'config.json')
  const fetched = async (bytes: number) => {
    const { fetcher } = siteWith({ '/m/a%20b/config.json': bytes })
    const download = downloadFiles(wanted, { folder: address.folder, fetcher, pauseMs: 1 })
    let step = await download.next()
    while (!step.done) step = await download.next()
    return step.value.files.get('config.json')?.size
  }
  expect(await fetched(300)).toBe(300)
  await expect(fetched(301)).rejects.toMatchObject({ code: 'download-mismatch' })
})

test('a changed file says what to do', () => {
  const mismatch = new HycoraError(
    'download-mismatch',
    'config.json has 301 bytes on the server, expected 300',
  )
  expect(addressRefusal(mismatch, 'https://play.example/m/')).toMatchObject({
    code: 'download-mismatch',
    message: expect.stringMatching(
      /has changed since it was looked at\. Remove the model, and look it up again\.$/,
    ) as string,
  })
  const other = new HycoraError('cancelled', 'stopped')
  expect(addressRefusal(other, 'https://play.example/m/')).toBe(other)
})

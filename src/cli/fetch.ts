import { mkdir, open, rename, rm, statfs } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, join, resolve } from 'node:path'

import { check } from '../core/errors.ts'
import { processorNeeds } from '../core/processorMemory.ts'
import { whatIsWrong } from '../download/digest.ts'
import { downloadFiles } from '../download/downloads.ts'
import type { DownloadOptions } from '../download/downloads.ts'
import type { ServedFile } from '../download/servedFile.ts'
import { filesUrl, listRepository } from '../hub/listing.ts'
import type { HubListing } from '../hub/listing.ts'
import { bestVariant, weightsOf } from '../hub/modelFit.ts'
import { fileRefusal } from '../hub/refusal.ts'
import { HUB_URL, readRepository } from '../hub/repository.ts'
import { playableVariants, precisionText } from '../hub/variants.ts'
import type { Variant } from '../hub/variants.ts'
import { parseArguments, required } from './arguments.ts'
import { fileBlob } from './files.ts'
import { lockFolder } from './folderLock.ts'
import { openPartStore, writing } from './partStore.ts'

/** What has come of files that are not whole lies here, in the folder that they go to. */
const PARTS = '.hycora-parts'
const TELL_MS = 1000

/** How the hub and its storage are waited for. */
export type FetchPace = Pick<DownloadOptions, 'pauseMs' | 'stallMs' | 'partBytes' | 'signal'>

/**
 * `hycora fetch REPO[@REVISION] --into DIR`: a model from a hub, each file checked; a second call goes on where the first
 * was broken off, a third finds everything there. With `--list` what forms there are, and nothing is fetched.
 *
 * @throws HycoraError `usage`, `download-refused`, `download-failed`, `download-mismatch`, `storage-full`, with one sentence.
 */
export async function fetchModel(words: readonly string[], pace: FetchPace = {}): Promise<void> {
  const { operands, options } = parseArguments(words, {
    values: ['into', 'variant'],
    flags: ['list', 'json'],
  })
  const [repository = '', ...more] = operands
  check(more.length === 0, 'usage', () => `fetch takes one repository, not ${operands.length}`)
  const isListing = options.has('list')
  check(isListing || !options.has('json'), 'usage', () => '--json goes with --list')
  const into = isListing ? null : resolve(required(options, 'into'))
  const hubUrl = (process.env['HF_ENDPOINT'] ?? HUB_URL).replace(/\/+$/, '')
  const token = process.env['HF_TOKEN']
  const asked = { ...pace, hubUrl, ...(token && { token }) }
  const listing = await listRepository(readRepository(repository), asked)
  const variants = playableVariants(listing.name, listing.files)
  if (into === null) {
    printForms(listing, variants, options.has('json'))
    return
  }
  const variant = chooseVariant(listing, variants, options.get('variant'))
  const missing = await missingFiles(variant.files, into)
  if (missing.length === 0) {
    process.stderr.write(`${into} has all of ${listing.name}: nothing to fetch\n`)
    return
  }
  await checkRoom(into, missing)
  const release = await lockFolder(into)
  try {
    await fetchInto(into, missing, {
      ...pace,
      folder: filesUrl(listing, hubUrl) + variant.root,
      isPinned: true,
      ...(token && { fetcher: withToken(token, hubUrl) }),
    })
  } catch (error) {
    throw fileRefusal(error, listing.name, hubUrl)
  } finally {
    await release()
  }
  process.stderr.write(`${listing.name}@${listing.revision.slice(0, 10)} lies at ${into}\n`)
}

/** The form that was asked for, or the one that suits this machine. */
function chooseVariant(
  { name }: HubListing,
  variants: readonly Variant[],
  label: string | undefined,
): Variant {
  const forms = variants.map(describeForm).join('; ')
  const found =
    label === undefined
      ? [variants[recommended(variants)]]
      : variants.filter((variant) => isCalled(variant, label))
  const [chosen, ...more] = found
  check(chosen && more.length === 0, 'usage', () => `${name} has no form ${label}, only: ${forms}`)
  if (label === undefined && variants.length > 1) {
    process.stderr.write(`${name} comes in several forms, of which ${chosen.label} is taken: ${forms}\n`)
  }
  return chosen
}

function describeForm({ label, bytes }: Variant): string {
  return `${label} (${[megabytes(bytes), precisionText(label)].filter(Boolean).join(', ')})`
}

/** Of the forms that this machine's memory holds the most exact up to 16 bits, the smaller of two. */
function recommended(variants: readonly Variant[]): number {
  const memory = totalmem()
  const fits = variants.map((variant) =>
    processorNeeds(weightsOf(variant)) <= memory ? 'fits' : 'too-large',
  )
  return bestVariant(variants, fits)
}

/** Says on stdout what forms there are. */
function printForms({ name, revision }: HubListing, variants: readonly Variant[], isJson: boolean): void {
  const best = recommended(variants)
  const forms = variants.map(({ label, root, model, bytes }, index) => ({
    variant: label,
    file: root + model,
    bytes,
    precision: precisionText(label),
    isRecommended: index === best,
  }))
  const lines = [
    `${name}@${revision}`,
    ...variants.map(
      (variant, index) => `  ${describeForm(variant)}${index === best ? ', taken by default' : ''}`,
    ),
  ]
  process.stdout.write(`${isJson ? JSON.stringify({ name, revision, forms }) : lines.join('\n')}\n`)
}

/** Whether a word names a form: by its label, or by its file in the repository. */
function isCalled({ label, root, model }: Variant, word: string): boolean {
  return word === label || word === root + model
}

/** The files that are not there, whole and right. */
async function missingFiles(files: readonly ServedFile[], into: string): Promise<readonly ServedFile[]> {
  const missing: ServedFile[] = []
  for (const file of files) {
    const content = await fileBlob(join(into, file.path))
    const isRight = content?.size === file.bytes && !(await whatIsWrong(file, content))
    if (!isRight) missing.push(file)
  }
  return missing
}

async function checkRoom(into: string, files: readonly ServedFile[]): Promise<void> {
  await writing(into, () => mkdir(into, { recursive: true }))
  const largest = Math.max(...files.map(({ bytes }) => bytes))
  // A file lies there twice while it is put together.
  const needed = files.reduce((sum, { bytes }) => sum + bytes, 0) + largest
  const { bavail, bsize } = await statfs(into)
  check(
    bavail * bsize > needed,
    'storage-full',
    () => `${into} has room for ${megabytes(bavail * bsize)}, and ${megabytes(needed)} are needed`,
  )
}

/** Fetches file after file, so that what is whole is in its place whatever becomes of the rest. */
async function fetchInto(
  into: string,
  files: readonly ServedFile[],
  options: DownloadOptions,
): Promise<void> {
  const parts = join(into, PARTS)
  const store = await openPartStore(parts)
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let behind = 0
  let toldAt = 0
  for (const file of files) {
    const download = downloadFiles([file], { ...options, store })
    let step = await download.next()
    while (!step.done) {
      const { doneBytes, trouble } = step.value
      if (trouble !== null) process.stderr.write(`${trouble}: asking again\n`)
      if (Date.now() - toldAt >= TELL_MS) {
        toldAt = Date.now()
        process.stderr.write(`${file.path}: ${megabytes(behind + doneBytes)} of ${megabytes(totalBytes)}\n`)
      }
      step = await download.next()
    }
    const content = step.value.files.get(file.path)
    if (content) await place(content, join(into, file.path))
    behind += file.bytes
  }
  await rm(parts, { recursive: true, force: true })
}

/** Puts a whole file in its place. */
function place(content: Blob, path: string): Promise<void> {
  return writing(path, () => copyTo(content, path))
}

async function copyTo(content: Blob, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(`${path}.part`, 'w')
  try {
    const reader = content.stream().getReader()
    for (let step = await reader.read(); !step.done; step = await reader.read())
      await file.writeFile(step.value)
  } finally {
    await file.close()
  }
  await rename(`${path}.part`, path)
}

/** Shows the hub who asks, and nobody else. */
function withToken(token: string, hubUrl: string): NonNullable<DownloadOptions['fetcher']> {
  return (url, init) => {
    const headers = new Headers(init.headers)
    if (url.startsWith(`${hubUrl}/`)) headers.set('Authorization', `Bearer ${token}`)
    return fetch(url, { ...init, headers })
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
}

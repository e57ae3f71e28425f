// @ts-check
// `node tools/manifest.mjs`: writes the sizes and hashes in public/models/index.json anew from the files it names, and
// public/packs/index.json from the packs that lie there. What is said of a backbone, and which of its files the page
// fetches, is written by hand.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {{ path: string, bytes: number, sha256: string, chunks?: { bytes: number, sha256: string[] } }} File
 * @typedef {File & { pieces?: File[] }} ManifestFile
 * @typedef {{ folder: string, files: ManifestFile[], pack: ManifestFile | null }} Backbone
 */

/** What is fetched, checked and kept at once. */
export const CHUNK_BYTES = 4 * 1024 * 1024

/** @param {Uint8Array} content */
const sha256 = (content) => createHash('sha256').update(content).digest('hex')

/**
 * What the list says of a file.
 * @param {string} path
 * @param {Uint8Array} content
 * @returns {File}
 */
export function describeFile(path, content) {
  const file = { path, bytes: content.length, sha256: sha256(content) }
  if (content.length <= CHUNK_BYTES) return file
  const count = Math.ceil(content.length / CHUNK_BYTES)
  const hashes = Array.from({ length: count }, (_, index) =>
    sha256(content.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)),
  )
  return { ...file, chunks: { bytes: CHUNK_BYTES, sha256: hashes } }
}

/**
 * A file of the list as it lies in `folder` now, in its pieces where it comes in pieces.
 * @param {ManifestFile} file
 * @param {string} folder
 * @returns {ManifestFile}
 */
function measureFile({ path, pieces }, folder) {
  if (!pieces) return describeFile(path, readFileSync(join(folder, path)))
  const contents = pieces.map((piece) => readFileSync(join(folder, piece.path)))
  const whole = Buffer.concat(contents)
  return {
    path,
    bytes: whole.length,
    sha256: sha256(whole),
    pieces: pieces.map((piece, index) => describeFile(piece.path, contents[index] ?? whole)),
  }
}

/**
 * The list with the sizes and hashes that its files have now.
 * @param {readonly Backbone[]} backbones
 * @param {string} publicFolder
 * @returns {Backbone[]}
 */
export function measureBackbones(backbones, publicFolder) {
  return backbones.map((backbone) => ({
    ...backbone,
    files: backbone.files.map((file) => measureFile(file, join(publicFolder, backbone.folder))),
    pack: backbone.pack && measureFile(backbone.pack, publicFolder),
  }))
}

/**
 * Which backbone a pack says that it was trained on.
 * @param {Buffer} content
 * @returns {{ name: string, fingerprint: string }}
 */
function backboneOf(content) {
  const header = JSON.parse(content.toString('utf8', 8, 8 + Number(content.readBigUInt64LE())))
  return JSON.parse(header['__metadata__'].backbone)
}

/**
 * The packs of the site by the backbones that they were trained on; a pack without a fingerprint is nobody's.
 * @param {string} publicFolder
 */
export function listPacks(publicFolder) {
  const names = readdirSync(join(publicFolder, 'packs')).filter((name) =>
    name.endsWith('.hycora.safetensors'),
  )
  return names.toSorted().flatMap((name) => {
    const content = readFileSync(join(publicFolder, 'packs', name))
    const { name: backbone, fingerprint } = backboneOf(content)
    return fingerprint ? [{ fingerprint, backbone, file: describeFile(`packs/${name}`, content) }] : []
  })
}

if (argv[1] && resolve(argv[1]) === fileURLToPath(import.meta.url)) {
  const publicFolder = join(dirname(fileURLToPath(import.meta.url)), '..', 'public')
  const list = join(publicFolder, 'models', 'index.json')
  const measured = measureBackbones(JSON.parse(readFileSync(list, 'utf8')), publicFolder)
  writeFileSync(list, `${JSON.stringify(measured, null, 2)}\n`)
  console.log(`${list}: ${measured.length} backbones`)
  const packs = listPacks(publicFolder)
  const index = join(publicFolder, 'packs', 'index.json')
  writeFileSync(index, `${JSON.stringify(packs, null, 2)}\n`)
  console.log(`${index}: ${packs.length} packs`)
}

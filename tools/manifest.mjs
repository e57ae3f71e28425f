// @ts-check
// `node tools/manifest.mjs`: writes the sizes and hashes in public/models/index.json anew from the files it names.
// What is said of a backbone, and which of its files the page fetches, is written by hand.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
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

if (argv[1] && resolve(argv[1]) === fileURLToPath(import.meta.url)) {
  const publicFolder = join(dirname(fileURLToPath(import.meta.url)), '..', 'public')
  const list = join(publicFolder, 'models', 'index.json')
  const measured = measureBackbones(JSON.parse(readFileSync(list, 'utf8')), publicFolder)
  writeFileSync(list, `${JSON.stringify(measured, null, 2)}\n`)
  console.log(`${list}: ${measured.length} backbones`)
}

import { check } from '../core/errors.ts'
import { manifestRecord, manifestText, parseManifestFile } from './manifestFile.ts'
import type { ManifestFile } from './servedFile.ts'

/** Where a site lists the packs that it serves. */
export const PACK_INDEX = 'packs/index.json'

/** A pack that a site serves, whoever brings the backbone that it was trained on. */
export interface ListedPack {
  /** Of the backbone, 64 hexadecimal digits. */
  readonly fingerprint: string
  /** What the pack calls its backbone. */
  readonly backbone: string
  /** Its path is relative to the site. */
  readonly file: ManifestFile
}

/**
 * The served list of packs by the backbone that they were trained on.
 *
 * @throws HycoraError `format-invalid` naming the first field that is wrong.
 */
export function parsePackIndex(json: unknown): readonly ListedPack[] {
  check(Array.isArray(json), 'format-invalid', () => `${PACK_INDEX} is not a list of packs`)
  return json.map((entry: unknown, index) => {
    const where = `${PACK_INDEX}[${index}]`
    const fields = manifestRecord(entry, where)
    const fingerprint = manifestText(fields, 'fingerprint', where)
    check(
      /^[0-9a-f]{64}$/.test(fingerprint),
      'format-invalid',
      () => `${where}.fingerprint is not 64 hexadecimal digits`,
    )
    const backbone = manifestText(fields, 'backbone', where)
    return { fingerprint, backbone, file: parseManifestFile(fields.get('file'), `${where}.file`) }
  })
}

/** The first pack for a backbone; undefined where none is listed, and for a backbone without a fingerprint. */
export function listedFor(packs: readonly ListedPack[], fingerprint: string): ListedPack | undefined {
  return fingerprint === '' ? undefined : packs.find((pack) => pack.fingerprint === fingerprint)
}

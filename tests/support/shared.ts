import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../../shared')

/** Whether the developers' third-party material lies beside the checkout; users do not have it. */
export const hasShared = existsSync(root)

/** The path of a file or folder of the developers' material; exists only where `hasShared`. */
export function sharedPath(path: string): string {
  return resolve(root, path)
}

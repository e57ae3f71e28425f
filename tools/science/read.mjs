// @ts-check
// What experiments came to, out of the committed files, and how its numbers are written.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../install.mjs'

/**
 * @typedef {{ mean: number, spread: number | null }} Figure over seeds
 * @typedef {{ variant: string, roles?: number, replies?: number, runs: number, figures: Record<string, Figure> }} Row
 */

/** The folder of what experiments left. */
export const FOLDER = 'scale/experiments'

/** @param {string} path below the folder of experiments */
export const readJson = (path) => JSON.parse(readFileSync(join(root, FOLDER, path), 'utf8'))

/**
 * The summary that `python -m hycora_scale experiment NAME` wrote.
 * @param {string} name
 * @returns {readonly Row[]}
 */
export const rowsOf = (name) => readJson(`results/${name}.json`).rows

/** The files of an experiment, from the root. @param {string} name */
export const filesOf = (name) => ['jsonl', 'json', 'csv'].map((end) => `${FOLDER}/results/${name}.${end}`)

/**
 * The row of a variant, at a number of roles where there are several.
 * @param {readonly Row[]} rows
 * @param {string} variant
 * @param {number} [roles]
 */
export function rowOf(rows, variant, roles) {
  const row = rows.find((each) => each.variant === variant && each.roles === roles)
  if (!row) throw new Error(`no row ${variant}, ${roles ?? 'all'} roles`)
  return row
}

/**
 * A figure's mean over seeds.
 * @param {Row} row
 * @param {string} name
 */
export const meanOf = (row, name) => row.figures[name]?.mean ?? NaN

/**
 * A figure with its spread, where there are several seeds.
 * @param {Row} row
 * @param {string} name
 * @param {number} digits
 */
export function figure(row, name, digits) {
  const found = row.figures[name]
  if (!found) return '–'
  const spread = found.spread === null ? '' : ` ± ${found.spread.toFixed(digits)}`
  return `${found.mean.toFixed(digits)}${spread}`
}

/**
 * A share of one, as a mean.
 * @param {Row} row
 * @param {string} name
 */
export const percent = (row, name) => `${Math.round(100 * meanOf(row, name))} %`

/** @param {number} value */
export function large(value) {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`
  return value >= 1e5 ? `${(value / 1e6).toFixed(2)} M` : `${value}`
}

/**
 * A large figure, or a dash where it was not counted.
 * @param {Row} row
 * @param {string} name
 */
export const size = (row, name) => (row.figures[name] ? large(row.figures[name].mean) : '–')

/** @param {number} value */
export const small = (value) => value.toExponential(1)

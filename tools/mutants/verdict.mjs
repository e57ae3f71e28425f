// @ts-check
/**
 * A small fault: a text of a file, what stands there instead, the test file that must fail, and why it matters. Lanes that
 * are scrambled show more than those in order.
 * @typedef {{
 *   file: string, find: string, replace: string, test: string, why: string, lanes?: 'in order' | 'scrambled',
 * }} Fault
 * @typedef {{ numPassedTests?: number, numFailedTests?: number, success?: boolean }} Report
 */

/**
 * A file's text with the fault in it; undefined where what it changes does not stand there exactly once.
 * @param {string} text
 * @param {Pick<Fault, 'find' | 'replace'>} fault
 * @returns {string | undefined}
 */
export function applyFault(text, { find, replace }) {
  const [before, after, ...more] = text.split(find)
  return before === undefined || after === undefined || more.length > 0 ? undefined : before + replace + after
}

/**
 * How a test file ended: `nothing` where it ran no test, for lack of a driver or of data. What ends without a report, such
 * as a test that never ends, is red.
 * @param {Report | undefined} report
 * @param {number | null} status of the process
 * @returns {'green' | 'red' | 'nothing'}
 */
export function verdictOf(report, status) {
  if (status !== 0 || !report) return 'red'
  return (report.numPassedTests ?? 0) > 0 ? 'green' : 'nothing'
}

/**
 * The line that ends a run.
 * @param {Readonly<Record<'caught' | 'missed' | 'not run', number>>} counts
 */
export function sumUp(counts) {
  return `${counts.caught} caught, ${counts.missed} missed, ${counts['not run']} not run`
}

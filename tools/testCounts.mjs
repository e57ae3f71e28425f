// @ts-check
/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 * @typedef {{ testResults?: readonly {
 *   status?: string, assertionResults?: readonly { status: string }[],
 * }[] }} Report
 */

/**
 * The counts of Vitest's JSON report. A file that fails outside its tests is one failure; so is a run that fails
 * without a failure in its report, or that leaves no report.
 * @param {Report | undefined} report
 * @param {boolean} isGreen whether Vitest ended with success
 * @returns {Counts}
 */
export function countTests(report, isGreen) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const { status, assertionResults = [] } of report?.testResults ?? []) {
    const states = assertionResults.map((result) => result.status)
    const failed = states.filter((state) => state === 'failed').length
    const passed = states.filter((state) => state === 'passed').length
    counts.passed += passed
    counts.failed += failed === 0 && status === 'failed' ? 1 : failed
    counts.skipped += states.length - passed - failed
  }
  if (counts.failed === 0 && !(isGreen && report)) counts.failed = 1
  return counts
}

/**
 * The counts of two runs together.
 * @param {Counts} one
 * @param {Counts} two
 * @returns {Counts}
 */
export function addCounts(one, two) {
  return {
    passed: one.passed + two.passed,
    failed: one.failed + two.failed,
    skipped: one.skipped + two.skipped,
  }
}

/**
 * The counts with each check as one more test.
 * @param {Counts} counts
 * @param {Readonly<Record<string, boolean>>} checks whether each passed
 * @returns {Counts}
 */
export function addChecks({ passed, failed, skipped }, checks) {
  const green = Object.values(checks).filter(Boolean).length
  return { passed: passed + green, failed: failed + Object.keys(checks).length - green, skipped }
}

/**
 * The line that ends a run.
 * @param {Counts} counts
 * @returns {string}
 */
export function countLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

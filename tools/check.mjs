// @ts-check
// `npm run check`: format, lint and types, of the Python side too where ruff is found.
import { reportChecks, runChecks } from './checks.mjs'

const checks = await runChecks(process.env)
reportChecks(checks)
process.exitCode = Object.values(checks).every(Boolean) ? 0 : 1

// The last line of a CI run, from vitest's JSON report: node .ci/count.mjs <report> <exit status of the run>
import { readFileSync } from 'node:fs'

const [report, status] = process.argv.slice(2)
const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8'))
// a file that does not even load, or an error outside of every test, has no test that could fail
const failed = Math.max(numFailedTests, numFailedTestSuites > 0 || status !== '0' ? 1 : 0)
process.stdout.write(`${numPassedTests} passed, ${failed} failed\n`)

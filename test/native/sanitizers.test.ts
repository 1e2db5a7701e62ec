import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FLAVOURS, SanitizedBuild, whyNot } from './sanitized/build.ts'

/**
 * The native parts under the sanitizers of the compiler: what tests from JavaScript cannot see, a read beyond an end or a race that went well this time. A
 * process of Node cannot be run under them, so that these are programs of their own (./sanitized) around the same sources.
 */
const RUN_DEADLINE_MS = 60_000
const BUILD_AND_RUN_DEADLINE_MS = 600_000 // half a minute on a quiet machine
const DELIBERATE = 'deliberate'
const PROGRAMS = (await readdir(path.join(import.meta.dirname, 'sanitized')))
  .filter((name) => name.endsWith('.cc') && name !== `${DELIBERATE}.cc`)
  .map((name) => path.basename(name, '.cc'))

describe.each(FLAVOURS)('$name', (flavour) => {
  let folder: string
  let missing: string | undefined
  let build: SanitizedBuild
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kymograph-sanitized-'))
    missing = await whyNot(flavour, folder)
    build = new SanitizedBuild(flavour, folder)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** Throws with the sanitizer's report when there is one. */
  async function run(program: string, ...more: string[]): Promise<void> {
    const files = await mkdtemp(path.join(folder, 'files-'))
    await promisify(execFile)(program, [files, ...more], { env: { ...process.env, ...flavour.environment }, timeout: RUN_DEADLINE_MS })
  }

  test('is there, and finds the faults that are there', { timeout: BUILD_AND_RUN_DEADLINE_MS }, async ({ skip }) => {
    if (missing !== undefined && process.env['CI'] === undefined) skip(`the compiler cannot: ${missing}`)
    const program = await build.program(DELIBERATE)
    for (const [fault, report] of Object.entries(flavour.finds)) await expect(run(program, fault)).rejects.toThrow(report)
  })

  test.concurrent.each(PROGRAMS)('finds none in %s', { timeout: BUILD_AND_RUN_DEADLINE_MS }, async (name) => {
    if (missing !== undefined) return // said above
    const [program, library] = await Promise.all([build.program(name), build.simulator(name)])
    await run(program, ...(library === undefined ? [] : [library]))
  })
})

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A process of ours whose kernel has a dome on /dev/spidev9.9 and /dev/gpiochip9 (kernel-shim.c). */
export type FakeKernel = AsyncDisposable & {
  /** Runs a script of this folder there, with a temporary folder as its argument: what it printed, as JSON, and what the kernel was told. */
  run(script: string, environment?: Readonly<Record<string, string>>): Promise<{ readonly printed: unknown; readonly told: readonly string[] }>
}

/** Why there cannot be one here; undefined: there can. */
export async function whyNoFakeKernel(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'spidev and the GPIO character device are parts of Linux'
  try {
    await run('cc', ['--version'])
    return undefined
  } catch {
    return 'no C compiler (cc) is in PATH'
  }
}

export async function fakeKernel(): Promise<FakeKernel> {
  const folder = await mkdtemp(join(tmpdir(), 'kymograph-kernel-'))
  const library = join(folder, 'kernel-shim.so')
  await run('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, join(import.meta.dirname, 'kernel-shim.c'), '-ldl'])
  let runs = 0
  return {
    run: async (script, environment = {}) => {
      runs += 1
      const log = join(folder, `told-${runs}`)
      const { stdout } = await run(process.execPath, ['--import', 'tsx', fileURLToPath(new URL(script, import.meta.url)), folder], {
        env: { ...process.env, LD_PRELOAD: library, KERNEL_SHIM_LOG: log, ...environment },
      })
      const told = await readFile(log, 'utf8').catch(() => '')
      return { printed: JSON.parse(stdout), told: told.split('\n').filter((line) => line !== '') }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

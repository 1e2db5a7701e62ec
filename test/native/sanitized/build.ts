import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

const NATIVE = path.resolve(import.meta.dirname, '../../../native')
const SOURCES = path.join(NATIVE, 'src')
const packages = createRequire(path.join(NATIVE, 'package.json'))
const packageFolder = (name: string, ...inside: readonly string[]): string => path.join(path.dirname(packages.resolve(`${name}/package.json`)), ...inside)
/** Of others, and linked as native/build.mjs has made them. */
const CODEC_HEADERS = [packageFolder('lz4', 'deps', 'lz4', 'lib'), packageFolder('zstd-napi', 'deps', 'zstd', 'lib')]
const CODECS = ['kymograph_lz4.a', 'kymograph_zstd.a'].map((name) => path.join(NATIVE, 'build', 'Release', name))
const COMPILER = process.env['CXX'] ?? 'g++'
const AT_ONCE = 2 // compilers: as many as the smallest machine that runs this has cores
const BUILD_DEADLINE_MS = 300_000
const INCLUDED = [SOURCES, path.join(NATIVE, 'simulated'), ...CODEC_HEADERS].map((folder) => `-I${folder}`)
const COMMON = ['-std=c++20', '-O1', '-g1', '-fno-omit-frame-pointer', '-fPIC', '-Wall', '-Wextra', ...INCLUDED]

export type Flavour = {
  readonly name: string
  readonly flags: readonly string[]
  readonly environment: NodeJS.ProcessEnv
  /** Faults of deliberate.cc, and the words of the report. */
  readonly finds: Readonly<Record<string, string>>
}

export const FLAVOURS: readonly Flavour[] = [
  {
    name: 'AddressSanitizer and UndefinedBehaviorSanitizer',
    // a null pointer that is followed is found without null, and next to nothing here is virtual: these two would be a third of the build
    flags: ['-fsanitize=address,undefined', '-fno-sanitize=null,vptr', '-fno-sanitize-recover=all'],
    environment: { ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1', UBSAN_OPTIONS: 'print_stacktrace=1' },
    finds: { address: 'heap-buffer-overflow', leak: 'detected memory leaks', undefined: 'signed integer overflow' },
  },
  {
    name: 'ThreadSanitizer',
    flags: ['-fsanitize=thread', '-Wno-tsan'], // the warning: it does not know fences
    environment: { TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' },
    finds: { race: 'data race' },
  },
]

/** Absent when the compiler can make such programs, else what it said. */
export async function whyNot({ flags }: Flavour, folder: string): Promise<string | undefined> {
  const source = path.join(folder, 'nothing.cc')
  await writeFile(source, 'int main() {}\n')
  try {
    await execute(COMPILER, [...flags, source, '-o', path.join(folder, 'nothing')])
    await execute(path.join(folder, 'nothing'))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Compiles for one flavour into a folder, each source once, whoever needs it. */
export class SanitizedBuild {
  readonly #flavour: Flavour
  readonly #folder: string
  #standard: Promise<string> | undefined
  readonly #objects = new Map<string, Promise<string>>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(flavour: Flavour, folder: string) {
    this.#flavour = flavour
    this.#folder = folder
  }

  /** A program of this folder, with the sources of native/src that it includes the headers of. Returns its path. */
  async program(name: string): Promise<string> {
    const main = path.join(import.meta.dirname, `${name}.cc`)
    return await this.#link(name, [main, ...(await this.#sourcesBehind(main))], CODECS)
  }

  /** The simulated library of native/<name>-sim, if there is one. Returns its path. */
  async simulator(name: string): Promise<string | undefined> {
    const folders = [`${name}-sim`, 'simulated'].map((folder) => path.join(NATIVE, folder))
    if (!folders.every((folder) => existsSync(folder))) return undefined
    const files = await Promise.all(folders.map(async (folder) => (await readdir(folder)).map((file) => path.join(folder, file))))
    return await this.#link(
      `lib${name}.so`,
      files.flat().filter((file) => file.endsWith('.cc')),
      ['-shared'],
    )
  }

  async #link(name: string, sources: readonly string[], more: readonly string[]): Promise<string> {
    const objects = await Promise.all(sources.map((source) => this.#object(source)))
    const made = path.join(this.#folder, name)
    await this.#compile([...objects, ...more, '-ldl', '-lpthread', '-o', made])
    return made
  }

  #object(source: string): Promise<string> {
    const known = this.#objects.get(source)
    if (known !== undefined) return known
    const object = path.join(this.#folder, `${path.basename(path.dirname(source))}-${path.basename(source, '.cc')}.o`)
    const made = this.#compiledStandard().then(async (standard) => {
      await this.#compile([...COMMON, '-include', standard, '-c', source, '-o', object])
      return object
    })
    this.#objects.set(source, made)
    return made
  }

  /** The header that the compiler takes the compiled one beside it for. */
  #compiledStandard(): Promise<string> {
    const header = path.join(this.#folder, 'standard.h')
    this.#standard ??= copyFile(path.join(import.meta.dirname, 'standard.h'), header).then(async () => {
      await this.#compile([...COMMON, '-x', 'c++-header', header, '-o', `${header}.gch`])
      return header
    })
    return this.#standard
  }

  async #compile(options: readonly string[]): Promise<void> {
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running += 1
    try {
      await execute(COMPILER, [...this.#flavour.flags, ...options], { timeout: BUILD_DEADLINE_MS })
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  /** The sources of native/src whose headers `from` includes, and those that these need. */
  async #sourcesBehind(from: string, found = new Set<string>()): Promise<readonly string[]> {
    for (const [, name = ''] of (await readFile(from, 'utf8')).matchAll(/^#include "(.+)"$/gm)) {
      const header = path.join(SOURCES, name)
      const source = header.replace(/\.h$/, '.cc')
      if (found.has(header) || !existsSync(header)) continue
      found.add(header)
      await this.#sourcesBehind(header, found)
      if (existsSync(source)) await this.#sourcesBehind(source, found)
    }
    return [...found].map((header) => header.replace(/\.h$/, '.cc')).filter((source) => existsSync(source))
  }
}

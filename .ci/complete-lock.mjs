import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Adds to package-lock.json the platform packages that npm left out because they cannot be installed here (another system's binaries). Without them
 * `npm ci` finds none on another system. Run after each change of a dependency; a test asserts that nothing is missing.
 *
 * node .ci/complete-lock.mjs [--check]
 */

const SYSTEMS = ['darwin', 'win32', 'linux', 'freebsd', 'android', 'openharmony']
const PROCESSORS = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'wasm32']
const LIBC = { musl: 'musl', gnu: 'glibc', glibc: 'glibc', musleabihf: 'musl', gnueabihf: 'glibc' }

export function missingStubs(lock) {
  const missing = new Map()
  for (const [folder, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const places = [`${folder}/node_modules/${name}`, `node_modules/${name}`]
      if (!places.some((place) => place in lock.packages)) missing.set(`node_modules/${name}`, stub(name, version))
    }
  }
  return missing
}

function stub(name, version) {
  const words = name.split(/[-/]/)
  const os = SYSTEMS.filter((system) => words.includes(system))
  const cpu = PROCESSORS.filter((processor) => words.includes(processor))
  const libc = words.map((word) => LIBC[word]).find((word) => word !== undefined)
  return { version, cpu, ...(libc && { libc: [libc] }), optional: true, os }
}

if (process.argv[1] === import.meta.filename) {
  const file = path.join(import.meta.dirname, '../package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8'))
  const missing = missingStubs(lock)
  if (process.argv.includes('--check')) {
    for (const name of missing.keys()) process.stderr.write(`${name} is missing in package-lock.json: run node .ci/complete-lock.mjs\n`)
    process.exit(missing.size === 0 ? 0 : 1)
  }
  const all = Object.entries(lock.packages).concat([...missing])
  all.sort(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(all) }, undefined, 2)}\n`)
}

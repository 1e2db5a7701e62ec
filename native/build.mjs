// Builds the addon and the simulated libraries into native/build. Run by the start script, and by hand: node native/build.mjs
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const SHOWN_LINES = 40 // of a failed build's output: enough for the first error

const onPath = (name) =>
  (process.env.PATH ?? '').split(delimiter).some((place) => {
    try {
      accessSync(join(place, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}

function requireToolchain() {
  const compilers = process.env.CXX ? [process.env.CXX.split(' ')[0]] : ['c++', 'g++', 'clang++']
  const missing = [
    compilers.some((name) => (name.includes('/') ? existsSync(name) : onPath(name))) ? undefined : `a C++ compiler (${compilers.join(', ')})`,
    onPath('make') || onPath('gmake') ? undefined : 'make',
    onPath('python3') || onPath('python') || process.env.PYTHON ? undefined : 'python3',
  ].filter((name) => name !== undefined)
  if (missing.length > 0)
    fail(`a C++ toolchain is missing: ${missing.join(' and ')} not found in PATH; install it (Debian: apt install build-essential python3) and start again`)
}

/** npm names its own copy in npm_config_node_gyp; outside npm it is beside the running npm or node. */
function nodeGyp() {
  const bundled = join('node_modules', 'node-gyp', 'bin', 'node-gyp.js')
  const places = [
    process.env.npm_config_node_gyp,
    process.env.npm_execpath && join(dirname(process.env.npm_execpath), '..', bundled),
    join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', bundled),
    join(dirname(process.execPath), '..', 'share', 'nodejs', 'npm', bundled),
    join(dirname(process.execPath), 'node_modules', 'npm', bundled),
  ]
  return (
    places.find((place) => place && existsSync(place)) ??
    fail('node-gyp was not found: it comes with npm; run this with npm, or set npm_config_node_gyp to its bin/node-gyp.js')
  )
}

/** Headers that lie beside node need no download. */
function headers() {
  const prefix = join(dirname(process.execPath), '..')
  const nodedir = process.env.npm_config_nodedir
  if (nodedir || !existsSync(join(prefix, 'include', 'node', 'node_api.h'))) return []
  return [`--nodedir=${prefix}`]
}

requireToolchain()
const { NODE_ENV: _, ...environment } = process.env
const result = spawnSync(process.execPath, [nodeGyp(), 'configure', 'build', '--jobs=max', '--loglevel=warn', ...headers()], {
  cwd: folder,
  env: environment,
  encoding: 'utf8',
})
if (result.status !== 0) {
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.split('\n')
  const firstError = Math.max(0, output.findIndex((line) => /error/i.test(line)) - 2)
  process.stderr.write(`${output.slice(firstError, firstError + SHOWN_LINES).join('\n')}\n`)
  fail("the native addon could not be built; the compiler's first error is above")
}

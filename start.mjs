// Makes ready what is missing (packages, the native part, the database client, the pages, the build), then starts the lab. Node's own modules only.
//   node start.mjs            make ready and start
//   node start.mjs --prepare  make ready only
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = [20, 19]
const PROJECT = path.dirname(fileURLToPath(import.meta.url))
const NOT_SOURCES = new Set(['node_modules', 'build', 'generated'])
const MAX_ERROR_LINES = 12 // one illegal import makes a page of errors; the first ones tell

const { workspaces: WORKSPACES, allowScripts: SCRIPTS } = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8'))

/** The folders that are compiled to dist: every workspace but the pages, the tests and the benchmarks. */
const CODE = WORKSPACES.filter((folder) => !['web', 'test', 'bench'].includes(folder))

const inProject = (...parts) => path.join(PROJECT, ...parts)

/** A step runs again when its inputs differ from those of its last success, or when its output is gone. */
const STEPS = [
  { name: 'packages', isReady: packagesAreInstalled, run: installPackages },
  {
    name: 'native part',
    inputs: [inside('native', /\.(cc|h|c|gyp|gypi|mjs)$/)],
    output: 'native/build/Release/kymograph.node',
    run: buildNative,
  },
  {
    name: 'database client',
    inputs: [inside('prisma/schema'), inside('prisma', /generate\.mjs$/)],
    output: 'prisma/generated/client.ts',
    run: generateClient,
  },
  { name: 'pages', inputs: [inside('web'), inside('api', /\.graphql$/)], output: 'dist/web/index.html', run: buildPages },
  {
    name: 'build',
    inputs: [...CODE.map((folder) => inside(folder, /\.(ts|json|sql|yaml)$/)), (file) => /^tsconfig.*\.json$/.test(file)],
    output: 'dist/local/main.js',
    run: compile,
  },
]

class CannotStart extends Error {}

try {
  checkNode()
  const unlock = await lockPreparation()
  try {
    const files = sources()
    for (const step of STEPS) prepare(step, files)
  } finally {
    unlock()
  }
} catch (error) {
  if (!(error instanceof CannotStart)) throw error
  process.stderr.write(`kymograph: ${error.message}\n`)
  process.exit(1)
}
if (!process.argv.includes('--prepare')) {
  const { main } = await import('./dist/local/main.js')
  await main(PROJECT, { KYMOGRAPH_COMMIT: commit(), ...process.env })
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
    throw new CannotStart(`Node ${process.versions.node} is too old; ${OLDEST_NODE.join('.')} or newer is needed`)
}

function prepare({ name, isReady, inputs = [], output, run }, files) {
  const stamp = inProject('dist/.stamps', name.replace(' ', '-'))
  const state = fingerprint(files.filter((file) => inputs.some((matches) => matches(file))))
  if (isReady ? isReady() : existsSync(inProject(output)) && readIfThere(stamp) === state) return
  const start = performance.now()
  process.stdout.write(`${name}: `)
  rmSync(stamp, { force: true })
  run()
  mkdirSync(path.dirname(stamp), { recursive: true })
  writeFileSync(stamp, state)
  process.stdout.write(`ready in ${((performance.now() - start) / 1000).toFixed(1)} s\n`)
}

/** npm keeps beside the packages what it has installed: every one of the lock file must be there, but for the optional ones of other systems. */
function packagesAreInstalled() {
  const installed = readIfThere(inProject('node_modules/.package-lock.json'))
  if (installed === '') return false
  const there = JSON.parse(installed).packages
  const wanted = Object.entries(JSON.parse(readFileSync(inProject('package-lock.json'), 'utf8')).packages)
  return wanted.every(([folder, { version, optional }]) => !folder.includes('node_modules/') || optional || there[folder]?.version === version)
}

function installPackages() {
  // --include=dev: with NODE_ENV=production npm would leave the compiler out
  install('ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund')
  // an npm older than 11 does not know allowScripts: it would compile for minutes what nobody uses
  install('rebuild', ...Object.keys(SCRIPTS).filter((name) => SCRIPTS[name]))
}

function install(...task) {
  run(process.execPath, [npm('bin/npm-cli.js'), ...task], 'the packages could not be installed')
}

function buildNative() {
  run(process.execPath, [inProject('native/build.mjs')], 'the native part could not be built')
}

function generateClient() {
  run(process.execPath, [inProject('prisma/generate.mjs'), '--quiet'], 'the database client could not be generated')
}

function buildPages() {
  run(
    process.execPath,
    [inProject('node_modules/vite/bin/vite.js'), 'build', '--outDir', inProject('dist/web'), '--emptyOutDir', '--logLevel', 'warn'],
    'the pages do not build',
    {
      cwd: inProject('web'),
    },
  )
}

function compile() {
  run(
    process.execPath,
    [inProject('node_modules/typescript7/bin/tsc'), '-b', ...CODE.map((folder) => inProject(folder))],
    'the TypeScript sources do not compile',
  )
  for (const folder of CODE) removeOrphans(folder)
  for (const folder of CODE.filter((folder) => existsSync(inProject(folder))))
    for (const file of filesIn(folder)) if (isDescription(file)) cpSync(inProject(file), inProject('dist', file))
  rmSync(inProject('dist/prisma/migrations'), { recursive: true, force: true })
  cpSync(inProject('prisma/migrations'), inProject('dist/prisma/migrations'), { recursive: true })
}

/** Of instruments: read at run time, from beside the code that reads them. */
function isDescription(file) {
  return file.startsWith('drivers/') && file.endsWith('.yaml')
}

/** What was built from a source that is gone. */
function removeOrphans(folder) {
  if (!existsSync(inProject('dist', folder))) return
  for (const file of filesIn(path.join('dist', folder))) {
    const source = file.replace(/^dist[\\/]/, '').replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts')
    if ((source.endsWith('.ts') || isDescription(source)) && !existsSync(inProject(source))) rmSync(inProject(file))
  }
}

function run(command, args, failure, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: PROJECT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, ...options })
  if (status === 0) return
  process.stdout.write('failed\n')
  process.stderr.write(`${tellingLines(`${stdout ?? ''}\n${stderr ?? ''}`).join('\n')}\n`)
  throw new CannotStart(error ? `${failure}: ${error.message}` : failure)
}

/** The first errors without their explanations; all of it when nothing looks like one. */
function tellingLines(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const errors = lines.filter((line) => /^\S.*(\berror\b|\*\*\*|ERR!)/i.test(line))
  return (errors.length > 0 ? errors : lines).slice(0, MAX_ERROR_LINES)
}

/** A file of npm: the one that runs us, or the one that came with Node. */
function npm(file) {
  const folders = [
    ...(process.env.npm_execpath ? [path.resolve(process.env.npm_execpath, '../..')] : []),
    path.resolve(process.execPath, '../../lib/node_modules/npm'),
    path.resolve(process.execPath, '../node_modules/npm'),
    '/usr/share/nodejs/npm',
  ]
  const found = folders.map((folder) => path.join(folder, file)).find((candidate) => existsSync(candidate))
  if (found === undefined) throw new CannotStart('npm was not found beside Node; install it, or start with `npm start`')
  return found
}

function inside(folder, pattern = /(?:)/) {
  const start = `${folder}/`
  return (file) => file.startsWith(start) && pattern.test(file)
}

function fingerprint(files) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(inProject(file)))
      .update('\0')
  return hash.digest('hex')
}

/** Every file that a step may read, relative to the project. */
function sources() {
  const folders = [...CODE, 'web'].filter((folder) => existsSync(inProject(folder)))
  return [...readdirSync(PROJECT).filter((name) => name.endsWith('.json')), ...folders.flatMap((folder) => [...filesIn(folder)])].sort()
}

function* filesIn(folder) {
  for (const entry of readdirSync(inProject(folder), { withFileTypes: true })) {
    const file = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!NOT_SOURCES.has(entry.name) || folder.startsWith('dist')) yield* filesIn(file)
    } else if (entry.isFile()) yield file
  }
}

/** Two preparations at once (`npm start` beside `npm test`) would overwrite each other: the second waits. */
async function lockPreparation() {
  const file = path.join(tmpdir(), `kymograph-prepare-${createHash('sha256').update(PROJECT).digest('hex').slice(0, 16)}.lock`)
  for (let told = false; ; ) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    const holder = Number(readIfThere(file))
    if (holder > 0 && !isAlive(holder)) rmSync(file, { force: true })
    else if (holder > 0 && !told) {
      process.stdout.write(`waiting for process ${holder}, which prepares the same folder\n`)
      told = true
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function commit() {
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: PROJECT, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : ''
}

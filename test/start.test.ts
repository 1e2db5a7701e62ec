import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from './until.ts'

/** start.mjs around a project of one small file per folder, with stand-ins for what takes long. */

const PROJECT = path.resolve(import.meta.dirname, '..')
const FOLDERS = (JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8')).workspaces as string[]).filter(
  (folder) => !['web', 'test', 'bench'].includes(folder),
)

let project: string
const inProject = (...parts: string[]): string => path.join(project, ...parts)
const write = (file: string, text: string): void => {
  mkdirSync(path.dirname(inProject(file)), { recursive: true })
  writeFileSync(inProject(file), text)
}
const prepare = () => spawnSync(process.execPath, [inProject('start.mjs'), '--prepare'], { encoding: 'utf8' })

beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), 'kymograph-start-'))
  for (const file of ['start.mjs', 'package.json', 'package-lock.json', 'tsconfig.base.json']) cpSync(path.join(PROJECT, file), inProject(file))
  symlinkSync(path.join(PROJECT, 'node_modules'), inProject('node_modules'))
  for (const folder of FOLDERS) {
    write(`${folder}/sample.ts`, 'export const one: number = 1\n')
    cpSync(path.join(PROJECT, folder, 'tsconfig.json'), inProject(folder, 'tsconfig.json'))
  }
  write('local/main.ts', 'export const two: number = 2\n')
  write('prisma/migrations/0_init/migration.sql', '')
  write(
    'prisma/generate.mjs',
    "import { mkdirSync, writeFileSync } from 'node:fs'\nmkdirSync('prisma/generated', { recursive: true })\nwriteFileSync('prisma/generated/client.ts', '')\n",
  )
  write(
    'native/build.mjs',
    "import { mkdirSync, writeFileSync } from 'node:fs'\nmkdirSync('native/build/Release', { recursive: true })\nwriteFileSync('native/build/Release/kymograph.node', '')\n",
  )
  write('web/index.html', '<!doctype html><title>page</title>')
})
afterEach(() => rmSync(project, { recursive: true, force: true }))

describe('start.mjs --prepare', () => {
  it('makes what is missing, once', () => {
    const first = prepare()
    expect(first).toMatchObject({ status: 0, stderr: '' })
    expect(
      first.stdout
        .replaceAll(/\d+\.\d s/g, 'n s')
        .trim()
        .split('\n'),
    ).toEqual(['native part', 'database client', 'pages', 'build'].map((step) => `${step}: ready in n s`))
    for (const file of ['dist/local/main.js', 'dist/web/index.html', 'dist/prisma/migrations/0_init/migration.sql'])
      expect(existsSync(inProject(file))).toBe(true)
    expect(prepare()).toMatchObject({ status: 0, stdout: '', stderr: '' })
  })

  it('builds again what has changed, and takes away what has no source any more', () => {
    write('core/old.ts', 'export const old = true\n')
    prepare()
    expect(existsSync(inProject('dist/core/old.js'))).toBe(true)
    rmSync(inProject('core/old.ts'))
    expect(prepare().stdout).toMatch(/^build: ready in \S+ s\n$/)
    expect(existsSync(inProject('dist/core/old.js'))).toBe(false)
    expect(existsSync(inProject('dist/core/sample.js'))).toBe(true)
  })

  it('shows the first errors of the sources and ends with one sentence', () => {
    write('core/wrong.ts', Array.from({ length: 40 }, (_, n) => `export const wrong${n}: string = ${n}\n`).join(''))
    const { status, stderr } = prepare()
    expect(status).toBe(1)
    const lines = stderr.trim().split('\n')
    expect(lines[0]).toMatch(/^core\/wrong\.ts\(1,14\): error TS2322/)
    expect(lines.length).toBeLessThan(20)
    expect(lines.at(-1)).toBe('kymograph: the TypeScript sources do not compile')
  })

  it('passes on what the native build lacks', () => {
    write('native/build.mjs', "process.stderr.write('a C++ toolchain is missing: make not found in PATH\\n')\nprocess.exit(1)\n")
    const { status, stderr } = prepare()
    expect(status).toBe(1)
    expect(stderr).toBe('a C++ toolchain is missing: make not found in PATH\nkymograph: the native part could not be built\n')
  })

  it('run twice at once builds once', async () => {
    // Not done before the other one has come.
    write(
      'native/build.mjs',
      "import { existsSync, mkdirSync, writeFileSync } from 'node:fs'\nwhile (!existsSync('go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)\nmkdirSync('native/build/Release', { recursive: true })\nwriteFileSync('native/build/Release/kymograph.node', '')\n",
    )
    const outputs = ['', '']
    const ends = outputs.map((_, which) => {
      const child = spawn(process.execPath, [inProject('start.mjs'), '--prepare'], { stdio: ['ignore', 'pipe', 'inherit'] })
      child.stdout.on('data', (chunk: Buffer) => {
        outputs[which] += chunk.toString()
      })
      return once(child, 'close')
    })
    try {
      await until(() => outputs.some((output) => output.includes('waiting')), { what: 'one waits for the other' })
    } finally {
      write('go', '')
      expect((await Promise.all(ends)).map(([status]) => status)).toEqual([0, 0])
    }
    expect(outputs.filter((output) => output.includes('build: ready'))).toHaveLength(1)
    expect(outputs.filter((output) => /^waiting for process \d+, which prepares the same folder\n$/.test(output))).toHaveLength(1)
  })

  it('goes on after one that was killed', () => {
    const lock = path.join(tmpdir(), `kymograph-prepare-${createHash('sha256').update(project).digest('hex').slice(0, 16)}.lock`)
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    writeFileSync(lock, String(pid))
    expect(prepare()).toMatchObject({ status: 0 })
    expect(existsSync(lock)).toBe(false)
  })
})

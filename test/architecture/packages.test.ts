import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { missingStubs } from '../../.ci/complete-lock.mjs'
import { filesBelow, PROJECT, read } from './sources.ts'

type Entry = { readonly version?: string; readonly resolved?: string; readonly link?: boolean }
const lock = JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Entry>> }

describe('package-lock.json', () => {
  it('names no registry: whichever is configured serves', () => {
    expect(Object.entries(lock.packages).filter(([, { resolved, link }]) => resolved !== undefined && link !== true)).toEqual([])
  })

  it('keeps every package at the root, where the build finds it', () => {
    const workspaces = JSON.parse(read('package.json')).workspaces as string[]
    expect(Object.keys(lock.packages).filter((folder) => workspaces.some((workspace) => folder.startsWith(`${workspace}/node_modules/`)))).toEqual([])
  })

  it('knows the optional packages of every platform', () => {
    expect([...missingStubs(lock).keys()]).toEqual([])
  })

  it('agrees with every package.json', () => {
    const { status, stderr } = spawnSync('npm', ['ci', '--dry-run', '--no-audit', '--no-fund'], { cwd: PROJECT, encoding: 'utf8' })
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('every package.json', () => {
  it('pins what runs to one version', () => {
    const loose = filesBelow('.', /^package\.json$/).flatMap((file) => {
      const { dependencies = {} } = JSON.parse(read(file)) as { dependencies?: Record<string, string> }
      return Object.entries(dependencies)
        .filter(([, version]) => !/^\d+\.\d+\.\d+/.test(version))
        .map(([name]) => `${file}: ${name}`)
    })
    expect(loose).toEqual([])
  })
})

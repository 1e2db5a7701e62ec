import { execFile, spawn } from 'node:child_process'
import { writeFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ReadStream } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { openUsbtmc } from '../../../drivers/scpi/usbtmc.ts'
import { openPseudoTerminal } from '../../../native/devices.ts'
import { never, problemOf } from '../bench.ts'

const CLEARED = '\x18'
const shim = fileURLToPath(new URL('usbtmc/shim.c', import.meta.url))
const program = fileURLToPath(new URL('usbtmc/child.ts', import.meta.url))

test.runIf(process.platform === 'linux')(
  'through the kernel’s interface: sets, reads, clears what hangs, and a stop overtakes a measurement',
  { timeout: 60_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kymograph-usbtmc-'))
    const pair = openPseudoTerminal()
    const master = pair.giveMaster()
    const stream = new ReadStream(master)
    const told: string[] = []
    const asked = join(folder, 'asked')
    try {
      await promisify(execFile)('cc', ['-shared', '-fPIC', '-o', join(folder, 'shim.so'), shim, '-ldl'])
      let voltage = '0'
      stream.on('error', () => stream.destroy())
      let held = ''
      stream.on('data', (bytes) => {
        held += bytes.toString('latin1')
        if (held.includes(CLEARED)) {
          told.push('device clear')
          held = held.replaceAll(CLEARED, '')
        }
        const messages = held.split('\n')
        held = messages.pop() ?? ''
        for (const message of messages) {
          told.push(message)
          const answers: Readonly<Record<string, string>> = { '*IDN?': 'ACME,USB,1,1', 'SYST:ERR?': '+0,"No error"', 'VOLT?': voltage }
          const answer = answers[message]
          if (answer !== undefined) writeSync(master, `${answer}\n`)
          if (message.startsWith('VOLT ')) voltage = message.slice(5)
          if (message === 'SLOW?') writeFileSync(asked, '') // and no answer: without the stop it would be waited for until its time-out
        }
      })
      const seen = JSON.parse(await outputOf(folder, pair.slavePath, asked))
      expect(seen).toMatchObject({
        identity: 'ACME,USB,1,1',
        set: 1.5,
        silent: { bad: expect.stringContaining('NEVER? was not answered within 400 ms') },
        after: { value: 1.5 },
        slow: { bad: expect.stringContaining('emergency stop') },
        confirmed: true,
        closed: true,
      })
      expect(seen.refused).toContain('/dev/null')
      expect(told).toContain('device clear')
      expect(told.indexOf('OUTP OFF')).toBeGreaterThan(told.indexOf('SLOW?'))
      expect(told.slice(told.indexOf('OUTP OFF'))).not.toContain('device clear') // it would take the stop out of the instrument's input
    } finally {
      stream.destroy()
      pair.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
)

async function outputOf(folder: string, path: string, asked: string): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, path, asked], {
    env: { PATH: process.env.PATH, LD_PRELOAD: join(folder, 'shim.so') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (bytes) => {
    output += String(bytes)
  })
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve())
  })
  return output
}

test('what is not there, or no such instrument, is told', async () => {
  expect(await problemOf(openUsbtmc({ path: '/dev/usbtmc-none', statusByte: true }, never))).toMatchObject({
    code: 'DEVICE_OFFLINE',
    message: expect.stringContaining('/dev/usbtmc-none'),
  })
})

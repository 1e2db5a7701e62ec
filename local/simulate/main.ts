import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { messageOf } from '../../core/errors.ts'
import type { Fault, RunningSimulation } from '../../drivers/simulation/simulation.ts'
import { SIMULATIONS } from '../../drivers/simulations.ts'
import { CannotStart, runChild } from '../../link/child.ts'
import { removeEntry, writeEntry } from '../lab/book.ts'
import { announcement, listing } from './announcement.ts'
import { type Arguments, readArguments, USAGE } from './arguments.ts'
import { withDescribed } from './described.ts'
import { FAULT_FORMS, parseLine } from './typed-line.ts'

const out = (text: string): void => void process.stdout.write(text)
const say = (line: string): void => void process.stderr.write(`simulate: ${line}\n`)

await runChild(async () => {
  const { args, simulations } = await withDescribed(process.argv.slice(2), SIMULATIONS)
  const given = readArguments(args, simulations)
  if (given !== undefined) return await simulate(given)
  out(listing(SIMULATIONS, USAGE))
  process.exit(0)
}, say)

async function simulate(given: Arguments): Promise<AsyncDisposable> {
  const { simulation, name, seed, port, variant, faults } = given
  const folder = await openFolder(given.folder)
  try {
    const running = await simulation
      .start({
        folder: folder.path,
        name,
        seed,
        ...(port !== undefined && { port }),
        ...(variant !== undefined && { variant }),
        accepted: (command) => out(`${new Date().toISOString().slice(11, 23)} accepted ${command}\n`),
      })
      .catch((error: unknown) => {
        throw new CannotStart(`${simulation.driverId} cannot start: ${messageOf(error)}`)
      })
    const why = faults.map((fault) => whyNot(fault, running)).find((reason) => reason !== undefined)
    if (why !== undefined) {
      await running[Symbol.asyncDispose]()
      throw new CannotStart(`--fault: ${why}`)
    }
    await writeEntry(folder.path, name, running.entry)
    running.inject(...faults)
    out(announcement(simulation, running))
    const typed = obeyTypedLines(running)
    return {
      [Symbol.asyncDispose]: async () => {
        await typed[Symbol.asyncDispose]()
        await running[Symbol.asyncDispose]()
        await removeEntry(folder.path, name)
        await folder[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await folder[Symbol.asyncDispose]()
    throw error
  }
}

/** One after the other: what is plugged in again was unplugged first. */
function obeyTypedLines(running: RunningSimulation): AsyncDisposable {
  const lines = createInterface({ input: process.stdin })
  let last: Promise<void> = Promise.resolve()
  lines.on('line', (line) => {
    last = last.then(() => obey(line, running)).catch((error: unknown) => say(messageOf(error)))
  })
  return {
    [Symbol.asyncDispose]: async () => {
      lines.close()
      await last
    },
  }
}

async function obey(line: string, running: RunningSimulation): Promise<void> {
  const typed = parseLine(line)
  if (line.trim() === '') return
  if (typed === undefined) return say(`"${line}" is not understood; type ${FAULT_FORMS}, unplug or plug`)
  if (typed === 'unplug') await running.unplug()
  else if (typed === 'plug') await running.plugIn()
  else {
    const why = whyNot(typed.fault, running)
    if (why !== undefined) return say(why)
    running.inject(typed.fault)
  }
  out(`${line.trim()}: ${typeof typed === 'string' ? 'done' : `waits for the next ${typed.fault.kind === 'error' ? 'command' : 'reply'}`}\n`)
}

/** undefined: it can suffer this. */
function whyNot(fault: Fault, { errors, troubles = [] }: RunningSimulation): string | undefined {
  if (fault.kind !== 'error' || errors.includes(fault.code) || troubles.includes(fault.code)) return undefined
  return `${fault.code} is no documented error of it; it knows ${[...errors, ...troubles].join(', ')}`
}

/** A temporary one goes with the simulation; a given one stays. */
async function openFolder(given: string | undefined): Promise<AsyncDisposable & { readonly path: string }> {
  if (given === undefined) {
    const path = await mkdtemp(join(tmpdir(), 'kymograph-simulate-'))
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
  }
  const path = resolve(given)
  await mkdir(path, { recursive: true })
  return { path, [Symbol.asyncDispose]: async () => undefined }
}

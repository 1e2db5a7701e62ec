import { addressText, type Place } from '../../drivers/address.ts'
import type { RunningSimulation, Simulation } from '../../drivers/simulation/simulation.ts'
import { FAULT_FORMS } from './typed-line.ts'

const WIDTH = 12
const ERRORS_SHOWN = 40 // a screenful; the driver's manual has them all

/** Every simulation there is, with its variants, one line each. */
export function listing(simulations: readonly Simulation[], usage: string): string {
  const width = Math.max(...simulations.map(({ driverId }) => driverId.length)) + 2
  const rows = simulations.flatMap(({ driverId, description, variants = {} }) => [
    `${driverId.padEnd(width)}${description}`,
    ...Object.entries(variants).map(([name, how]) => `${''.padEnd(width)}--variant ${name}: ${how}`),
  ])
  return `${rows.join('\n')}\n\n${usage}\n`
}

/** Where it is, what a device of it would be registered with, how to speak to it by hand, and how it is made to fail. */
export function announcement(simulation: Simulation, running: RunningSimulation): string {
  const address = addressText(running.entry)
  const rows: readonly (readonly [string, string])[] = [
    ['address', address],
    ...running.devices.map((settings) => ['register', `${simulation.driverId} ${JSON.stringify({ address, ...settings })}`] as const),
    ['speak', howToSpeak(running.entry)],
    ['faults', `type ${FAULT_FORMS}, and the next reply suffers it; unplug, plug`],
    ...(running.errors.length === 0 ? [] : [['errors', errorsShown(running.errors)] as const]),
    ...(running.troubles?.length ? [['troubles', `${running.troubles.join(', ')}: as errors, but nobody is told`] as const] : []),
    ['end', 'Ctrl-C'],
  ]
  return `${simulation.driverId}: ${simulation.description}\n${rows.map(([word, text]) => `  ${word.padEnd(WIDTH)}${text}\n`).join('')}`
}

function howToSpeak(place: Place): string {
  switch (place.kind) {
    case 'serial':
      return `any program that opens serial ports, at any rate, with 8 data bits and no parity (a pseudo-terminal knows no other); by hand: screen ${place.path}`
    case 'tcp':
      return `any client of its protocol; where that is text, by hand: nc ${place.host} ${place.port}`
    case 'hislip':
      return `any VISA: TCPIP::${place.host}::${place.name},${place.port}::INSTR`
    case 'library':
      return `any program that loads ${place.path} in place of the vendor's library`
    default:
      return `any program that speaks to ${place.path}`
  }
}

function errorsShown(errors: readonly string[]): string {
  const shown = errors.slice(0, ERRORS_SHOWN).join(', ')
  return errors.length > ERRORS_SHOWN ? `${shown} … (${errors.length} in all)` : shown
}

import { Conflict, InvalidValue, NotFound } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { BusExchange } from '../transport/bus-line.ts'
import type { ModuleLink } from './module-link.ts'
import type { ModuleMotion } from './module-motion.ts'
import * as protocol from './protocol.ts'

const CURVE_WITHIN_MS = 20_000 // documented: about 12 s, and half a second on the wire

type Module = { readonly link: ModuleLink; readonly motion: ModuleMotion }
type Given = Readonly<Record<string, ParameterValue>>
type Invocation = (module: Module, given: Given, signal: AbortSignal) => Promise<ParameterValue | undefined>

/** Carries out a command of the module's own (commands.ts). Arguments are checked before. */
export async function invoke(module: Module, name: string, given: Given, signal: AbortSignal): Promise<ParameterValue | undefined> {
  const invocation = INVOCATIONS[name]
  if (invocation === undefined) throw new NotFound(`command ${name}`)
  return await invocation(module, given, signal)
}

const acknowledged =
  (text: (address: string, given: Given) => string): Invocation =>
  async ({ link }, given, signal) => {
    await link.command(text(link.busAddress, given), signal)
    return undefined
  }

const work =
  (text: (address: string, given: Given) => string): Invocation =>
  async ({ link, motion }, given, signal) => {
    await motion.begin({ kind: 'work', text: text(link.busAddress, given), followedAs: 'command' }, signal)
    return undefined
  }

const jog =
  (direction: protocol.Direction): Invocation =>
  async ({ link, motion }, _given, signal) => {
    const { busAddress } = link
    const target = async (bus: BusExchange): Promise<number> => {
      const step = await link.askPulses(bus, protocol.ask.jogStep(busAddress), 'GJ')
      if (step === 0) throw new Conflict('jog_step is 0, at which a mount may turn without an end; set another one')
      const position = await link.askPulses(bus, protocol.ask.position(busAddress), 'PO')
      return direction === 'forward' ? position + step : position - step
    }
    await motion.begin({ kind: 'jog', text: protocol.command.jog(busAddress, direction), followedAs: 'command', target }, signal)
    return undefined
  }

const INVOCATIONS: Readonly<Record<string, Invocation>> = {
  move_relative: async ({ link, motion }, { distance }, signal) => {
    const { busAddress } = link
    const pulses = protocol.pulsesOf(number(distance), motion.pulsesPerTurn)
    const text = protocol.command.moveBy(busAddress, pulses)
    const target = async (bus: BusExchange): Promise<number> => (await link.askPulses(bus, protocol.ask.position(busAddress), 'PO')) + pulses
    await motion.begin({ kind: 'move', text, followedAs: 'command', target }, signal)
    return undefined
  },
  jog_forward: jog('forward'),
  jog_backward: jog('backward'),
  join_group: async ({ link, motion }, { address }, signal) => {
    const { port, busAddress } = link
    const leader = port.module(text(address))
    if (leader === undefined || leader.busAddress === busAddress)
      throw new InvalidValue(`address: ${text(address)} is not another connected module of this bus`, ['address'])
    if (leader.pulsesPerTurn !== motion.pulsesPerTurn) throw new Conflict(`the modules at ${leader.busAddress} and ${busAddress} count differently`)
    await link.command(protocol.command.listenTo(busAddress, leader.busAddress), signal)
    port.joinGroup(leader.busAddress, busAddress)
    return undefined
  },
  leave_group: async ({ link }, _given, signal) => {
    await link.command(protocol.command.listenTo(link.busAddress, link.busAddress), signal)
    link.port.leaveGroups(link.busAddress)
    return undefined
  },
  search_resonance: work((address, given) => protocol.command.searchResonance(address, motor(given))),
  clean: work(protocol.command.clean),
  optimise: work(protocol.command.optimise),
  current_curve: async ({ link }, given, signal) => {
    const { busAddress } = link
    const command = protocol.command.currentCurve(busAddress, motor(given))
    const instead = protocol.reply.error(busAddress)
    const answer = await link.exchange(
      'command',
      (bus) => bus.tellForBytes(command, { header: protocol.curveHeader(busAddress, motor(given)), length: protocol.CURVE_BYTES, instead }, CURVE_WITHIN_MS),
      signal,
    )
    if (typeof answer === 'string') link.refuseError(answer, command)
    return typeof answer === 'string' ? undefined : [...protocol.parseCurve(answer)]
  },
  restore_factory_frequency: acknowledged((address, given) =>
    protocol.command.factoryPeriod(address, motor(given), given.direction === 'backward' ? 'backward' : 'forward'),
  ),
  isolate: async ({ link }, { minutes }, signal) => {
    if (number(minutes) === 0) {
      await link.endIsolation(signal)
      return undefined
    }
    const command = protocol.command.isolate(link.busAddress, number(minutes))
    await link.exchange(
      'command',
      async (bus) => {
        const line = await bus.tell(command, protocol.reply.status(link.busAddress))
        if (protocol.parseStatus(line)?.code !== ISOLATED) link.refuseError(line, command)
        link.isolatedFor(number(minutes))
      },
      signal,
    )
    return undefined
  },
  skip_frequency_search: acknowledged(protocol.command.skipFrequencySearch),
  enable_frequency_search: acknowledged(protocol.command.enableFrequencySearch),
  save: acknowledged(protocol.command.save),
  change_address: async ({ link }, { address }, signal) => {
    const { port, busAddress } = link
    const to = text(address)
    if (port.module(to) !== undefined) throw new Conflict(`address ${to} of ${port.address} is another device's already`)
    const command = protocol.command.changeAddress(busAddress, to)
    await link.exchange(
      'command',
      async (bus) => {
        link.refuseError(await bus.tell(command, new RegExp(`${protocol.reply.status(to).source}|${protocol.reply.error(busAddress).source}`)), command)
        link.movedTo(to)
      },
      signal,
    )
    return undefined
  },
}

const ISOLATED = '05' // some firmwares say so in the place of "ok"

function motor(given: Given): protocol.Motor {
  return given.motor === 2 ? 2 : 1
}

function number(value: ParameterValue | undefined): number {
  return typeof value === 'number' ? value : 0
}

function text(value: ParameterValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

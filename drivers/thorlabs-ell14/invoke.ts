import { Conflict, HardwareFault, InvalidValue, NotFound } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import type { ModuleDevice } from './module.ts'
import * as protocol from './protocol.ts'

const CURVE_WITHIN_MS = 20_000 // documented: about 12 s, and half a second on the wire

type Given = Readonly<Record<string, ParameterValue>>
type Invocation = (module: ModuleDevice, given: Given, signal: AbortSignal) => Promise<ParameterValue | undefined>

/** Carries out a command of the module's own (commands.ts). Arguments are checked before. */
export async function invoke(module: ModuleDevice, name: string, given: Given, signal: AbortSignal): Promise<ParameterValue | undefined> {
  const invocation = INVOCATIONS[name]
  if (invocation === undefined) throw new NotFound(`command ${name}`)
  return await invocation(module, given, signal)
}

const acknowledged =
  (text: (address: string, given: Given) => string): Invocation =>
  async (module, given, signal) => {
    await module.command(text(module.busAddress, given), signal)
    return undefined
  }

const work =
  (text: (address: string, given: Given) => string): Invocation =>
  async (module, given, signal) => {
    await module.begin({ kind: 'work', text: text(module.busAddress, given), followedAs: 'command' }, signal)
    return undefined
  }

const jog =
  (direction: protocol.Direction): Invocation =>
  async (module, _given, signal) => {
    const { busAddress } = module
    const target = async (bus: Parameters<ModuleDevice['askPulses']>[0]): Promise<number> => {
      const step = await module.askPulses(bus, protocol.ask.jogStep(busAddress), 'GJ')
      const position = await module.askPulses(bus, protocol.ask.position(busAddress), 'PO')
      return direction === 'forward' ? position + step : position - step
    }
    await module.begin({ kind: 'jog', text: protocol.command.jog(busAddress, direction), followedAs: 'command', target }, signal)
    return undefined
  }

const INVOCATIONS: Readonly<Record<string, Invocation>> = {
  move_relative: async (module, { distance }, signal) => {
    const { busAddress } = module
    const pulses = protocol.pulsesOf(number(distance), module.pulsesPerTurn)
    const text = protocol.command.moveBy(busAddress, pulses)
    const target = async (bus: Parameters<ModuleDevice['askPulses']>[0]): Promise<number> =>
      (await module.askPulses(bus, protocol.ask.position(busAddress), 'PO')) + pulses
    await module.begin({ kind: 'move', text, followedAs: 'command', target }, signal)
    return undefined
  },
  jog_forward: jog('forward'),
  jog_backward: jog('backward'),
  join_group: async (module, { address }, signal) => {
    const leader = module.port.module(text(address))
    if (leader === undefined || leader.busAddress === module.busAddress)
      throw new InvalidValue(`address: ${text(address)} is not another connected module of this bus`, ['address'])
    if (leader.pulsesPerTurn !== module.pulsesPerTurn) throw new Conflict(`the modules at ${leader.busAddress} and ${module.busAddress} count differently`)
    await module.command(protocol.command.listenTo(module.busAddress, leader.busAddress), signal)
    module.port.joinGroup(leader.busAddress, module.busAddress)
    return undefined
  },
  leave_group: async (module, _given, signal) => {
    await module.command(protocol.command.listenTo(module.busAddress, module.busAddress), signal)
    module.port.leaveGroups(module.busAddress)
    return undefined
  },
  search_resonance: work((address, given) => protocol.command.searchResonance(address, motor(given))),
  clean: work(protocol.command.clean),
  optimise: work(protocol.command.optimise),
  current_curve: async (module, given, signal) => {
    const { busAddress } = module
    const bytes = await module.exchange(
      'command',
      (bus) =>
        bus.tellForBytes(
          protocol.command.currentCurve(busAddress, motor(given)),
          protocol.curveHeader(busAddress, motor(given)),
          protocol.CURVE_BYTES,
          CURVE_WITHIN_MS,
        ),
      signal,
    )
    return [...protocol.parseCurve(bytes)]
  },
  restore_factory_frequency: acknowledged((address, given) =>
    protocol.command.factoryPeriod(address, motor(given), given.direction === 'backward' ? 'backward' : 'forward'),
  ),
  isolate: async (module, { minutes }, signal) => {
    if (number(minutes) === 0) {
      await module.endIsolation(signal)
      return undefined
    }
    const command = protocol.command.isolate(module.busAddress, number(minutes))
    await module.exchange(
      'command',
      async (bus) => {
        const status = protocol.parseStatus(await bus.tell(command, protocol.reply.status(module.busAddress)))
        if (status === undefined || (!status.ok && status.code !== ISOLATED))
          throw new HardwareFault(`${command} was not taken: ${status?.text ?? 'no answer'}`, 'POSSIBLE')
      },
      signal,
    )
    module.isolatedFor(number(minutes))
    return undefined
  },
  skip_frequency_search: acknowledged(protocol.command.skipFrequencySearch),
  enable_frequency_search: acknowledged(protocol.command.enableFrequencySearch),
  save: acknowledged(protocol.command.save),
  change_address: async (module, { address }, signal) => {
    const to = text(address)
    if (module.port.has(to)) throw new Conflict(`address ${to} of ${module.port.address} is another device's already`)
    const command = protocol.command.changeAddress(module.busAddress, to)
    await module.exchange('command', async (bus) => module.refuseError(await bus.tell(command, protocol.reply.status(to)), command), signal)
    module.movedTo(to)
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

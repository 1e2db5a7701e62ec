import type { DeviceSettings } from '../../core/device.ts'
import { DeadlineExceeded, HardwareFault, InvalidValue } from '../../core/errors.ts'
import type { DeviceHandle, Driver, DriverContext } from '../driver.ts'
import { AxisDevice } from './axis.ts'
import { AxisLine } from './axis-line.ts'
import { ControllerPort } from './port.ts'
import { probe } from './probe.ts'
import { ask, IDENTITY, STAGE } from './protocol.ts'
import { readReach } from './reach.ts'
import { locate, SETTINGS } from './settings.ts'
import { parseUnit, UNIT } from './units.ts'

const TEXT = /[A-Za-z]{3}/ // any identity; not the late number that a station before this one asked for

/** Newport ESP300: up to three axes on one serial line; each axis is a device. */
export const newportEsp300: Driver<ControllerPort> = {
  id: 'newport-esp300',
  vendor: 'Newport',
  model: 'ESP300',
  version: '1.1.0',
  portKind: 'SERIAL',
  settings: SETTINGS,
  documentation:
    'One axis of a Newport ESP300 motion controller. Manual: "ESP300 Motion Controller/Driver User\'s Manual", section 3. After every command the error queue is ' +
    "read; the end of a motion is the controller's own word. Software limits are the controller's; they are no interlock.",
  capabilities: ['MOVABLE', 'PARAMETERIZED', 'SETTABLE', 'COMMANDABLE'],
  afterLostStation: 'STOP', // a move that nobody watches any more may end in somebody's hand

  locate: (settings) => {
    const { address, axis } = locate(settings)
    return { address, subAddress: String(axis) }
  },

  openPort: (settings, context, signal) => ControllerPort.open(settings, context, signal),

  openDevice: async (port, settings, context, signal) => await openAxis(port, settings, context, signal),

  probe,
}

async function openAxis(port: ControllerPort, settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  const { axis, baudRate, flowControl, replyTimeoutMs, homeMode, unit: wanted, softLimits } = locate(settings)
  const { address } = port.settings
  if (baudRate !== port.settings.baudRate || flowControl !== port.settings.flowControl || replyTimeoutMs !== port.settings.replyTimeoutMs)
    throw new InvalidValue(
      `${address} is open with ${port.settings.baudRate} baud, flow control ${port.settings.flowControl} and ${port.settings.replyTimeoutMs / 1000} s for a reply; its axes must agree`,
      ['baudRate'],
    )

  const identity = await identityOf(port, signal)
  if (!IDENTITY.test(identity)) throw new HardwareFault(`${address} answers ${JSON.stringify(identity)}, which is not an ESP300`, 'NONE')
  const old = await port.clearErrors(axis, signal)
  if (old.length > 0) context.log(`${address}: errors from before this connection: ${old.join(', ')}`)

  const stage = await port.line.ask('command', ask.stage(axis), STAGE, signal)
  const unitCode = await port.line.ask('command', ask.unit(axis), UNIT, signal)
  const unit = parseUnit(unitCode)
  if (unit === undefined) throw new HardwareFault(`axis ${axis} of ${address} counts in unit ${unitCode} (SN?), which the manual does not list`, 'NONE')
  const reach = await port.line.exchange('command', (exchange) => readReach(exchange, axis), signal, String(axis))
  const line = new AxisLine(port, axis, unit, reach)

  const device = new AxisDevice(line, { identity: `${identity}, axis ${axis}: ${stage}`, stage, homeMode })
  if (wanted !== undefined && wanted !== unit) await device.write('units', wanted.name, signal)
  // What is as wanted already is left alone: an axis that moves when its station comes back must be reachable for a stop.
  for (const end of ['minimum', 'maximum'] as const) {
    const [limit, present] = [softLimits[end], line.limits[end]]
    if (limit !== undefined && (present === undefined || Math.abs(limit - present) > line.unit.deadband)) await device.write(`soft_limit_${end}`, limit, signal)
  }
  return device
}

/**
 * Asked twice where needed: who looked for another instrument here, or was killed while it wrote, left half a command before our first question. No CR
 * goes before the question: it would carry that half out.
 */
async function identityOf({ line }: ControllerPort, signal: AbortSignal): Promise<string> {
  const asked = (): Promise<string> => line.ask('command', ask.identity, TEXT, signal)
  return await asked().catch((error: unknown) => {
    if (error instanceof DeadlineExceeded) return asked()
    throw error
  })
}

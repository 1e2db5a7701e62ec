import type { DeviceSettings } from '../../core/device.ts'
import { HardwareFault, InvalidValue } from '../../core/errors.ts'
import type { DeviceHandle, Driver, DriverContext } from '../driver.ts'
import { AxisDevice } from './axis.ts'
import { ControllerPort } from './port.ts'
import { ask, IDENTITY, NUMBER, parseNumber, parseUnit, STAGE, UNIT } from './protocol.ts'
import { locate, SETTINGS } from './settings.ts'

const TEXT = /[A-Za-z]{3}/ // any identity; not the late number that a station before this one asked for

/** Newport ESP300: up to three axes on one serial line; each axis is a device. */
export const newportEsp300: Driver<ControllerPort> = {
  id: 'newport-esp300',
  vendor: 'Newport',
  model: 'ESP300',
  version: '1.0.0',
  portKind: 'SERIAL',
  settings: SETTINGS,
  documentation: 'One axis of a Newport ESP300 motion controller. Manual: "ESP300 Motion Controller/Driver User\'s Manual", section 3.',
  capabilities: ['MOVABLE', 'PARAMETERIZED', 'SETTABLE'],
  afterLostStation: 'STOP', // a move that nobody watches any more may end in somebody's hand

  locate: (settings) => {
    const { address, axis } = locate(settings)
    return { address, subAddress: String(axis) }
  },

  openPort: (settings, context, signal) => ControllerPort.open(settings, context, signal),

  openDevice: async (port, settings, context, signal) => await openAxis(port, settings, context, signal),
}

async function openAxis(port: ControllerPort, settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  const { axis, baudRate, flowControl } = locate(settings)
  if (baudRate !== port.baudRate || flowControl !== port.flowControl)
    throw new InvalidValue(`${port.address} is open with ${port.baudRate} baud and flow control ${port.flowControl}; its axes must agree`, ['baudRate'])

  const { line } = port
  const identity = await line.ask('command', ask.identity, TEXT, signal)
  if (!IDENTITY.test(identity)) throw new HardwareFault(`${port.address} answers ${JSON.stringify(identity)}, which is not an ESP300`, 'NONE')
  const old = await port.clearErrors(axis, signal)
  if (old.length > 0) context.log(`${port.address}: errors from before this connection: ${old.join(', ')}`)

  const stage = await line.ask('command', ask.stage(axis), STAGE, signal)
  const unitCode = await line.ask('command', ask.unit(axis), UNIT, signal)
  const unit = parseUnit(unitCode)
  if (unit === undefined)
    throw new HardwareFault(`axis ${axis} of ${port.address} counts in unit ${unitCode} (SN?), which has no scale; set mm, µm or degrees`, 'NONE')
  const minimum = parseNumber(await line.ask('command', ask.lowerLimit(axis), NUMBER, signal))
  const maximum = parseNumber(await line.ask('command', ask.upperLimit(axis), NUMBER, signal))
  return new AxisDevice(port, axis, {
    identity: `${identity}, axis ${axis}: ${stage}`,
    stage,
    unit,
    limits: { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) },
  })
}

import type { DeviceSettings } from '../../core/device.ts'
import { InvalidValue } from '../../core/errors.ts'
import { requireKind } from '../address.ts'
import { type DeviceHandle, type Driver, type DriverContext, PROBE_WITHIN_MS, type Probed } from '../driver.ts'
import { type LineInput, openLineInput } from '../transport/line-input.ts'
import { openSpiTransport } from '../transport/spi-transport.ts'
import { DomeEncoder } from './encoder.ts'
import { GpioMotor } from './gpio-motor.ts'
import { AzimuthMemory, type Remembered } from './memory.ts'
import type { DomeMotor } from './motor.ts'
import { lawOf } from './pointing.ts'
import { DomeRotator } from './rotator.ts'
import { Rp2040Motor } from './rp2040-motor.ts'
import { locate, type RotatorSettings, SETTINGS } from './settings.ts'
import { StepCount } from './step-count.ts'
import { SwitchWatch } from './switch-watch.ts'
import { WheelCount } from './wheel-count.ts'

const MODES = { standard: 1, legacy: 0 } as const // of the SPI bus

/** The rotation of an observatory dome, as DriftApp's hardware does it: a step motor, an EMS22A on a wheel, and a switch that says where 45 deg is. */
export const domeRotator: Driver<DomeMotor> = {
  id: 'dome-rotator',
  vendor: 'DriftApp',
  model: 'dome rotator',
  version: '1.0.0',
  portKind: 'SERIAL',
  settings: SETTINGS,
  documentation:
    'Azimuth of a dome: RP2040 motor controller on a serial port, or step and direction on Linux GPIO lines; Bourns EMS22A encoder on Linux spidev ' +
    '(data sheet: frame, parity, status bits); recalibration switch on a GPIO line.',
  capabilities: ['MOVABLE', 'PARAMETERIZED', 'COMMANDABLE'],
  afterLostStation: 'STOP',

  locate: (settings) => ({ address: locate(settings).address }),

  openPort: async (settings, context, signal) => {
    const { address, lines } = locate(settings)
    const place = await context.resolve(address)
    if (place.kind === 'gpio') return await GpioMotor.open({ path: place.path, address, ...lines }, context.log)
    const { path } = requireKind(place, 'serial', address)
    return await Rp2040Motor.open({ path, address }, context.log, signal)
  },

  openDevice: (port, settings, context) => openRotator(port, settings, context),

  probe: async (address, context, signal): Promise<readonly Probed[]> => {
    const { path } = requireKind(await context.resolve(address), 'serial', address)
    const there = await Rp2040Motor.answers({ path, address }, PROBE_WITHIN_MS / 2, signal)
    return there ? [{ identity: 'RP2040 dome motor controller', settings: { address } }] : []
  },
}

async function openRotator(motor: DomeMotor, given: DeviceSettings, context: DriverContext): Promise<DeviceHandle> {
  const settings = locate(given)
  const law = await lawOf(settings)
  const count = new StepCount(settings.drive.stepsPerRevolution / 360)
  const encoder = settings.encoder === undefined ? undefined : await openEncoder(settings.encoder, settings, count, context)
  const memory = new AzimuthMemory(context.workFolder, settings.address, context.log)
  const input = await openSwitch(settings.recalibration, context).catch(async (error: unknown) => {
    await encoder?.[Symbol.asyncDispose]()
    throw error
  })
  const rotator = new DomeRotator({ motor, encoder, count, settings, law, memory, context }, identityOf(motor, encoder, input))
  await encoder?.nextSample() // so that a position is there when the device is
  takeUp(await memory.load(), settings.startAzimuth, { encoder, count }, context.log)
  if (input !== undefined) rotator.watch(new SwitchWatch(input, () => rotator.atSwitch()))
  return rotator
}

/** A simulated part is never hidden behind a real one. */
function identityOf(motor: DomeMotor, encoder: DomeEncoder | undefined, input: LineInput | undefined): string {
  const parts = [motor.identity]
  if (encoder !== undefined) parts.push(`EMS22A encoder${encoder.simulated ? ', simulated' : ''}`)
  if (input?.simulated) parts.push('recalibration switch, simulated')
  return parts.join('; ')
}

/** What was remembered goes before where the dome is usually parked; both are doubtful until the switch is passed. */
function takeUp(
  remembered: Remembered | undefined,
  parked: number | undefined,
  { encoder, count }: { readonly encoder: DomeEncoder | undefined; readonly count: StepCount },
  log: (message: string) => void,
): void {
  if (remembered?.standing === false) return log('the dome was last seen turning, and nobody knows where it stopped: calibrate, or set its azimuth')
  const azimuth = remembered?.azimuth ?? parked
  if (azimuth === undefined) return
  count.set(azimuth)
  if (remembered?.counts === undefined) encoder?.count.set(azimuth, false)
  else encoder?.count.resume(azimuth, remembered.counts)
}

async function openEncoder(
  { address, speedHz, alignment }: NonNullable<RotatorSettings['encoder']>,
  { wheel }: RotatorSettings,
  count: StepCount,
  context: DriverContext,
): Promise<DomeEncoder> {
  const place = await context.resolve(address)
  if (place.kind !== 'spi') throw new InvalidValue(`encoder: ${address} is a ${place.kind} address; it needs a spi address`, ['encoder'])
  return await DomeEncoder.open(new WheelCount(wheel), {
    alignment,
    steps: () => count.made,
    open: () => openSpiTransport(place.path, { mode: MODES[alignment], speedHz }),
  })
}

async function openSwitch(recalibration: RotatorSettings['recalibration'], context: DriverContext): Promise<LineInput | undefined> {
  if (recalibration === undefined) return undefined
  const { address, line } = recalibration
  const place = await context.resolve(address)
  if (place.kind !== 'gpio')
    throw new InvalidValue(`recalibrationSwitch: ${address} is a ${place.kind} address; it needs a gpio address`, ['recalibrationSwitch'])
  return await openLineInput(place.path, line)
}

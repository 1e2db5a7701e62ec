import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeviceSettings } from '../../core/device.ts'
import { asProblem, DeviceOffline, InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { openComedi } from '../../native/devices.ts'
import { COMEDI_REFERENCES, type ComediBoard } from '../../native/types.ts'
import { requireKind } from '../address.ts'
import type { DeviceHandle, Driver, DriverContext, DriverPort, Probed } from '../driver.ts'
import { addressOf, addressSetting, choiceOf, refuseUnknown, textOf } from '../settings.ts'
import { BoardDevice } from './board.ts'
import { layoutOf } from './parameters.ts'
import { lineNumbers, rangeName } from './protocol.ts'

const FIRST_BOARD = '/dev/comedi0'
const KERNEL_DRIVERS = /^ni_/ // of NI's boards

const library: SettingSpec = {
  name: 'library',
  kind: 'TEXT',
  required: false,
  default: 'libcomedi.so.0',
  description: 'The Comedi library: its name where the system looks for libraries, or its path',
}
const inputRange: SettingSpec = {
  name: 'inputRange',
  kind: 'TEXT',
  required: false,
  default: '-10..10 V',
  description: 'Range of every analog input when the device is opened; each can be set',
}
const inputReference = {
  name: 'inputReference',
  kind: 'ENUM',
  required: false,
  default: 'GROUND',
  choices: ['GROUND', 'COMMON', 'DIFFERENTIAL'],
  description: 'Against what every analog input is measured when the device is opened; each can be set. Differential: the first half of them',
} as const satisfies SettingSpec
const outputRange = {
  name: 'outputRange',
  kind: 'ENUM',
  required: false,
  default: '-10..10 V',
  choices: ['-10..10 V', '0..10 V'],
  description: 'Range of the analog outputs: their limits',
} as const satisfies SettingSpec
const outputLines: SettingSpec = {
  name: 'outputLines',
  kind: 'TEXT',
  required: false,
  default: '',
  description: 'Digital lines that are outputs, e.g. 0, 3; the others are inputs',
}
const SETTINGS: readonly SettingSpec[] = [addressSetting(`comedi://${FIRST_BOARD}`), library, inputRange, inputReference, outputRange, outputLines]

/** NI data acquisition boards (E series: PCI-MIO-16XE-10 …) through libcomedi, or any library that exports the same functions. */
export const niComedi: Driver<ComediPort> = {
  id: 'ni-comedi',
  vendor: 'National Instruments',
  model: 'PCI-MIO-16XE-10 and other boards of Comedi’s ni_* drivers',
  version: '1.0.0',
  portKind: 'NATIVE',
  settings: SETTINGS,
  documentation: [
    'A data acquisition board behind Comedi. Calibrate it with comedi_calibrate: until then it may be some 50 mV off.',
    'play_waveform plays one waveform at a time, every sample by the board’s clock; a command with a number of periods is done when the last has been played, one without when it has begun, and dac0_playing tells on.',
    'While one plays, all analog outputs are busy. The board itself would leave its output at the sample it was at; here it is set to its rest, however it ends, and when the station closes. When the station is killed it stays at that sample.',
    'The safe state, and an emergency stop: waveforms and pulses end, and every analog output is at 0 V. Digital outputs, the level at which a pulse was stopped, and the frequency output, which Comedi cannot switch off, stay.',
  ].join(' '),
  capabilities: ['READABLE', 'PARAMETERIZED', 'SETTABLE', 'COMMANDABLE', 'ANALOG_INPUT'],
  locate: (settings) => ({ address: locate(settings).address }),
  openPort,
  openDevice,
  probe,
}

type ComediPort = DriverPort & { readonly board: ComediBoard; readonly address: string; readonly lose: (why: string) => void }

function locate(settings: DeviceSettings): { readonly address: string; readonly lines: readonly number[] } {
  refuseUnknown(settings, SETTINGS)
  choiceOf(settings, inputReference)
  choiceOf(settings, outputRange)
  return { address: addressOf(settings, 'comedi'), lines: lineNumbers(textOf(settings, outputLines), outputLines.name) }
}

/** An address that is a library's own leads to its first board. */
async function openPort(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<ComediPort> {
  const { address } = locate(settings)
  const place = await context.resolve(address)
  const [file, path] = place.kind === 'library' ? [place.path, FIRST_BOARD] : [textOf(settings, library), requireKind(place, 'comedi', address).path]
  signal.throwIfAborted()
  const lost = new AbortController()
  let board: ComediBoard
  try {
    board = await openComedi(file, path)
  } catch (error) {
    throw new DeviceOffline(`${address}: ${asProblem(error).message}`, {})
  }
  const lose = (why: string): void => {
    if (!lost.signal.aborted) lost.abort(new DeviceOffline(`${address}: ${why}`, {}))
  }
  return {
    board,
    address,
    lost: lost.signal,
    lose,
    [Symbol.asyncDispose]: async () => {
      lose('closed')
      await board[Symbol.asyncDispose]()
    },
  }
}

async function openDevice(port: ComediPort, settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<DeviceHandle> {
  const { lines } = locate(settings)
  const { board, address } = port
  if (!KERNEL_DRIVERS.test(board.driver)) throw new DeviceOffline(`${address} is a ${board.board} of the driver ${board.driver}, not a board of NI's`, {})
  const layout = layoutOf(board, choiceOf(settings, outputRange))
  if (layout === undefined) throw new DeviceOffline(`${address}: the ${board.board} has no analog inputs`, {})
  const wanted = textOf(settings, inputRange)
  const range = layout.inputs.ranges.findIndex((each) => rangeName(each) === wanted)
  if (range < 0) throw new InvalidValue(`inputRange: choose one of ${layout.inputs.ranges.map(rangeName).join(', ')}`, ['inputRange'])
  const missing = lines.find((line) => line >= (layout.lines?.channels ?? 0))
  if (missing !== undefined) throw new InvalidValue(`outputLines: the board has no line ${missing}`, ['outputLines'])
  for (let line = 0; line < (layout.lines?.channels ?? 0); line += 1) {
    signal.throwIfAborted()
    const place = { subdevice: layout.lines?.index ?? 0, line }
    if ((await board.lineIsOutput(place)) !== lines.includes(line)) await board.configureLine(place, lines.includes(line))
  }
  const reference = COMEDI_REFERENCES.indexOf(choiceOf(settings, inputReference))
  const ringPath = join(context.workFolder, ringFile(address))
  await rm(ringPath, { force: true }) // of a process that was killed
  return new BoardDevice(board, layout, { range, reference, outputLines: lines, ringPath }, port)
}

/** One for each board, whatever its address is made of. */
function ringFile(address: string): string {
  return `${address.replaceAll(/[^\w.-]+/g, '-')}.ring`
}

/** What the library says of the board; nothing is measured or set. */
async function probe(address: string, context: DriverContext, signal: AbortSignal): Promise<readonly Probed[]> {
  await using port = await openPort({ address }, context, signal)
  const { board, driver, version } = port.board
  return KERNEL_DRIVERS.test(driver) ? [{ identity: `${board}, ${driver}, Comedi ${version}`, settings: { address } }] : []
}

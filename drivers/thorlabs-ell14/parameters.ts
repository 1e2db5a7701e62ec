import type { ParameterSpec } from '../../core/parameter.ts'
import type { ParameterValue } from '../../core/reading.ts'
import * as protocol from './protocol.ts'
import type { Settings } from './settings.ts'

const POSITION_POLL_MS = 500 // sixteen modules share 9600 baud, where one question and its answer take 20 ms
const BUSY_POLL_MS = 150
const STATUS_POLL_MS = 2000
const POSITION_DEADBAND_DEG = 0.01 // recorded spread of a standing module: below 0.002
const FREQUENCY = { kind: 'FLOAT', access: 'READ_WRITE', unit: 'Hz', minimum: 70_000, maximum: 120_000 } as const // the range of its resonance search

/** What is asked for a parameter on the wire, and how the answer reads. Names with the same question share one. */
export type Source = {
  readonly question: string
  readonly shape: RegExp
  /** undefined: not an answer. */
  readonly decode: (line: string) => ParameterValue | undefined
}

export type Write = {
  readonly command: string
  /** The same value as the module counts it, and what is read back afterwards. */
  readonly raw: number
  readonly readBack: { readonly question: string; readonly shape: RegExp; readonly decode: (line: string) => number | undefined }
  readonly value: (raw: number) => number
}

export function moduleParameters(settings: Pick<Settings, 'minimumVelocity'>): readonly ParameterSpec[] {
  return [
    {
      name: 'position',
      description: 'Where the mount stands (gp)',
      kind: 'FLOAT',
      access: 'READ_ONLY',
      unit: 'deg',
      deadband: POSITION_DEADBAND_DEG,
      pollMs: POSITION_POLL_MS,
      busyPollMs: BUSY_POLL_MS,
    },
    {
      name: 'status',
      description: 'What the module reports of itself (gs)',
      kind: 'ENUM',
      access: 'READ_ONLY',
      choices: protocol.STATUS_TEXTS,
      pollMs: STATUS_POLL_MS,
      busyPollMs: STATUS_POLL_MS,
    },
    {
      name: 'moving',
      description: 'Whether the module is busy (gs)',
      kind: 'BOOLEAN',
      access: 'READ_ONLY',
      pollMs: STATUS_POLL_MS,
      busyPollMs: STATUS_POLL_MS,
    },
    { name: 'homed', description: 'Whether a search for home ended well since the connection was made', kind: 'BOOLEAN', access: 'READ_ONLY' },
    {
      name: 'velocity',
      description: 'Of the greatest velocity, 430 deg/s (gv, sv); low ones stall the motor',
      kind: 'INTEGER',
      access: 'READ_WRITE',
      unit: '%',
      minimum: settings.minimumVelocity,
      maximum: 100,
    },
    { name: 'jog_step', description: 'How far a jog goes (gj, sj)', kind: 'FLOAT', access: 'READ_WRITE', unit: 'deg', minimum: 0, maximum: 360 },
    {
      name: 'home_offset',
      description: 'From the home sensor to zero (go, so)',
      kind: 'FLOAT',
      access: 'READ_WRITE',
      unit: 'deg',
      minimum: -360,
      maximum: 360,
    },
    ...protocol.MOTORS.flatMap(motorParameters),
    { name: 'serial_number', description: 'Of the module (in)', kind: 'TEXT', access: 'READ_ONLY' },
    { name: 'year', description: 'Of manufacture (in)', kind: 'INTEGER', access: 'READ_ONLY' },
    { name: 'firmware', description: 'Release of the firmware (in)', kind: 'TEXT', access: 'READ_ONLY' },
    { name: 'hardware', description: 'Release of the hardware (in)', kind: 'INTEGER', access: 'READ_ONLY' },
    { name: 'thread', description: 'Of its mounting holes (in)', kind: 'ENUM', access: 'READ_ONLY', choices: ['metric', 'imperial'] },
    { name: 'travel', description: 'As the module tells it (in)', kind: 'FLOAT', access: 'READ_ONLY', unit: 'deg' },
    { name: 'pulses_per_turn', description: 'Of its encoder (in)', kind: 'INTEGER', access: 'READ_ONLY' },
  ]
}

function motorParameters(motor: protocol.Motor): readonly ParameterSpec[] {
  return [
    { name: `motor${motor}_on`, description: `Whether motor ${motor} is on (i${motor})`, kind: 'BOOLEAN', access: 'READ_ONLY' },
    { name: `motor${motor}_loop_on`, description: `Whether the loop of motor ${motor} is closed (i${motor})`, kind: 'BOOLEAN', access: 'READ_ONLY' },
    { name: `motor${motor}_current`, description: `Current of motor ${motor} (i${motor})`, kind: 'FLOAT', access: 'READ_ONLY', unit: 'A' },
    { name: `motor${motor}_forward_frequency`, description: `Of motor ${motor} forward, in steps of about 0.6 % (i${motor}, f${motor})`, ...FREQUENCY },
    { name: `motor${motor}_backward_frequency`, description: `Of motor ${motor} backward, in steps of about 0.6 % (i${motor}, b${motor})`, ...FREQUENCY },
  ]
}

/** undefined for what is not asked on the wire. */
export function sourceOf(name: string, address: string, pulsesPerTurn: number): Source | undefined {
  const angle = (question: string, letters: string): Source => ({
    question,
    shape: protocol.reply.data(address, letters, 8),
    decode: (line) => {
      const pulses = protocol.parsePulses(line, letters)
      return pulses === undefined ? undefined : protocol.degreesOf(pulses, pulsesPerTurn)
    },
  })
  const status = { question: protocol.ask.status(address), shape: protocol.reply.status(address) }
  switch (name) {
    case 'position':
      return angle(protocol.ask.position(address), 'PO')
    case 'jog_step':
      return angle(protocol.ask.jogStep(address), 'GJ')
    case 'home_offset':
      return angle(protocol.ask.homeOffset(address), 'HO')
    case 'velocity':
      return { question: protocol.ask.velocity(address), shape: protocol.reply.data(address, 'GV', 2), decode: protocol.parseVelocity }
    case 'status':
      return { ...status, decode: (line) => protocol.parseStatus(line)?.text }
    case 'moving':
      return { ...status, decode: (line) => protocol.parseStatus(line)?.busy }
    default:
      return motorSource(name, address)
  }
}

function motorSource(name: string, address: string): Source | undefined {
  const match = /^motor([12])_(.+)$/.exec(name)
  const motor = match?.[1] === '1' ? 1 : 2
  const field = FIELDS[match?.[2] ?? '']
  if (match === null || field === undefined) return undefined
  return {
    question: protocol.ask.motor(address, motor),
    shape: protocol.reply.data(address, `I${motor}`, protocol.INFO_DIGITS),
    decode: (line) => {
      const info = protocol.parseMotor(line, motor)
      return info && field(info)
    },
  }
}

const FIELDS: Readonly<Record<string, (info: protocol.MotorInfo) => number | boolean>> = {
  on: (info) => info.on,
  loop_on: (info) => info.loop,
  current: (info) => info.currentAmperes,
  forward_frequency: (info) => info.forwardHz,
  backward_frequency: (info) => info.backwardHz,
}

/** How a parameter is set and read back; undefined for one that cannot be. */
export function writeOf(name: string, value: number, address: string, pulsesPerTurn: number): Write | undefined {
  const angle = (command: (address: string, pulses: number) => string, question: string, letters: string): Write => {
    const raw = protocol.pulsesOf(value, pulsesPerTurn)
    return {
      command: command(address, raw),
      raw,
      readBack: { question, shape: protocol.reply.data(address, letters, 8), decode: (line) => protocol.parsePulses(line, letters) },
      value: (pulses) => protocol.degreesOf(pulses, pulsesPerTurn),
    }
  }
  switch (name) {
    case 'velocity':
      return {
        command: protocol.command.velocity(address, value),
        raw: value,
        readBack: { question: protocol.ask.velocity(address), shape: protocol.reply.data(address, 'GV', 2), decode: protocol.parseVelocity },
        value: (percent) => percent,
      }
    case 'jog_step':
      return angle(protocol.command.jogStep, protocol.ask.jogStep(address), 'GJ')
    case 'home_offset':
      return angle(protocol.command.homeOffset, protocol.ask.homeOffset(address), 'HO')
    default:
      return frequencyWrite(name, value, address)
  }
}

function frequencyWrite(name: string, value: number, address: string): Write | undefined {
  const match = /^motor([12])_(forward|backward)_frequency$/.exec(name)
  if (match === null) return undefined
  const motor = match[1] === '1' ? 1 : 2
  const direction = match[2] === 'forward' ? 'forward' : 'backward'
  const raw = protocol.periodOf(value)
  return {
    command: protocol.command.period(address, motor, direction, raw),
    raw,
    readBack: {
      question: protocol.ask.motor(address, motor),
      shape: protocol.reply.data(address, `I${motor}`, protocol.INFO_DIGITS),
      decode: (line) => {
        const info = protocol.parseMotor(line, motor)
        return info && protocol.periodOf(direction === 'forward' ? info.forwardHz : info.backwardHz)
      },
    },
    value: protocol.hertz,
  }
}

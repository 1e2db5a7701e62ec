import type { DeviceSettings, PortKind } from '../../core/device.ts'
import { HardwareFault, Problem } from '../../core/errors.ts'
import { capabilitiesOf, type DeviceHandle, type Driver, type DriverContext, PROBE_WITHIN_MS, type Probed, type ResolvedAddress } from '../driver.ts'
import { patience } from '../transport/patience.ts'
import { connect } from './connect.ts'
import type { Exchange } from './conversation.ts'
import type { ConnectionKind, Description, ParameterDescription } from './description.ts'
import { handleOf, type MotionLimits } from './facets.ts'
import { Instrument } from './instrument.ts'
import { ScpiPort } from './port.ts'
import { kindsOf, locateIn, settingSpecs } from './settings.ts'
import { specOf } from './specs.ts'
import { fill } from './template.ts'
import { parseReply, replyShape } from './values.ts'

const PORT_KINDS: Readonly<Record<ConnectionKind, PortKind>> = { tcp: 'TCP', serial: 'SERIAL', usbtmc: 'USB', hislip: 'TCP' }

/** The driver that a description stands for. */
export function driverOf(description: Description): Driver<ScpiPort> {
  const settings = settingSpecs(description)
  const { id, vendor, model, version, documentation, channels } = description
  const [kind = 'tcp'] = kindsOf(description)
  const locate = (given: DeviceSettings) => locateIn(description, settings, given)
  return {
    id,
    vendor,
    model,
    version,
    portKind: PORT_KINDS[kind],
    settings,
    ...(documentation !== undefined && { documentation }),
    capabilities: capabilitiesOf({
      ...description,
      parameters: description.parameters.map(specOf),
      write: true,
      commands: { specs: description.commands },
    }),
    afterLostStation: description.afterLostStation,
    locate: (given) => {
      const { address, channel } = locate(given)
      return { address, ...(channel !== undefined && { subAddress: channel }) }
    },
    openPort: async (given, context, signal) => {
      const { address, serial } = locate(given)
      return new ScpiPort(address, await connect(description, await context.resolve(address), serial, signal), description)
    },
    openDevice: async (port, given, context, signal) => await openInstrument(description, port, locate(given).channel, context, signal),
    probe: async (address, context, signal) => await probe(description, channels, address, context, signal),
  }
}

async function openInstrument(
  description: Description,
  port: ScpiPort,
  channel: string | undefined,
  context: DriverContext,
  signal: AbortSignal,
): Promise<DeviceHandle> {
  const identity = await port.identify(signal, true)
  const { channels, open, motion } = description
  const fixed = channels === undefined || channel === undefined ? {} : { [channels.setting]: channel }
  const opened = await port.conversation.exchange(
    'command',
    async (line) => {
      const old = await port.errors(line)
      if (old.length > 0) context.log(`${port.address}: errors from before this connection: ${old.map(({ code, text }) => `${code} ${text}`).join('; ')}`)
      if (open.length > 0)
        await port.obey(
          line,
          open.map((command) => fill(command, fixed)),
        )
      const parameters: ParameterDescription[] = []
      for (const parameter of description.parameters) parameters.push({ ...parameter, ...(await limitsOf(line, parameter, parameter, fixed)) })
      const position = description.parameters.find(({ name }) => name === motion?.position)
      const limits: MotionLimits = motion === undefined || position === undefined ? {} : await limitsOf(line, position, motion, fixed)
      return { parameters, limits }
    },
    signal,
    channel,
  )
  return handleOf(new Instrument(port, description, opened.parameters, channel, identity), { motion: opened.limits })
}

/** Limits that are questions are asked. One that is not answered by a number is a fault: without it, values out of range would reach the wire. */
async function limitsOf(
  line: Exchange,
  format: ParameterDescription,
  limits: Pick<ParameterDescription, 'minimum' | 'maximum'>,
  fixed: Readonly<Record<string, string>>,
): Promise<{ readonly minimum?: number; readonly maximum?: number }> {
  const plain: ParameterDescription = { ...format, kind: 'FLOAT', reply: { invalid: new Map() } }
  const limit = async (given: number | string | undefined): Promise<number | undefined> => {
    if (typeof given !== 'string') return given
    const question = fill(given, fixed)
    const answer = parseReply(plain, await line.ask(question, replyShape(plain)))
    if ('bad' in answer || typeof answer.value !== 'number')
      throw new HardwareFault(`${question}, a limit of ${format.name}, has no number as its answer`, 'NONE')
    return answer.value
  }
  const minimum = await limit(limits.minimum)
  const maximum = await limit(limits.maximum)
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) }
}

/** Asks for the identity and nothing else, which changes nothing on any instrument; where the address is one that this one would have. */
async function probe(
  description: Description,
  channels: Description['channels'],
  address: string,
  context: DriverContext,
  signal: AbortSignal,
): Promise<readonly Probed[]> {
  const place = await context.resolve(address)
  if (!fits(description, place)) return []
  try {
    using connecting = deadline(PROBE_WITHIN_MS, signal)
    const transport = await connect(description, place, description.connections.serial, connecting.signal)
    await using port = new ScpiPort(address, transport, { ...description, timeoutMs: PROBE_WITHIN_MS })
    const identity = await port.identify(signal, false)
    const settings = channels === undefined ? [{}] : channels.values.map((value) => ({ [channels.setting]: value }))
    return settings.map((each) => ({ identity, settings: { address, ...each } }))
  } catch (error) {
    if (error instanceof Problem && !signal.aborted) return [] // nobody, or somebody else
    throw error
  }
}

/** As AbortSignal.timeout, but after a stall of our own the network is looked at before the time is up. */
function deadline(withinMs: number, signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const over = new AbortController()
  const endWaiting = patience(withinMs, () => over.abort())
  return { signal: AbortSignal.any([signal, over.signal]), [Symbol.dispose]: endWaiting }
}

/** A simulated instrument may be on any port. */
function fits({ connections }: Description, place: ResolvedAddress): boolean {
  if (place.kind === 'tcp') return connections.tcp !== undefined && (place.simulated || place.port === connections.tcp.port)
  return place.kind === 'serial' || place.kind === 'usbtmc' || place.kind === 'hislip' ? connections[place.kind] !== undefined : false
}

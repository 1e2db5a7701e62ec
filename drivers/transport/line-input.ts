import { DeviceOffline, HardwareFault, messageOf } from '../../core/errors.ts'
import { openGpioInput } from '../../native/devices.ts'
import { isPinSocket, PinSocket, servePins } from '../simulation/pin-socket.ts'

/** One input line of a GPIO chip: the swap point for switches. */
export interface LineInput extends AsyncDisposable {
  /** What answers is a socket in the place of the kernel's chip. */
  readonly simulated: boolean
  level(): Promise<boolean>
}

/** `path` is a GPIO chip, or a socket made by serveLines: what the file is decides. Pulled up. Throws DeviceOffline. */
export async function openLineInput(path: string, line: number): Promise<LineInput> {
  try {
    if (await isPinSocket(path)) return simulatedLine(path, line)
    const input = openGpioInput({ path, line, bias: 'pull-up' })
    return {
      simulated: false,
      level: async () => input.level(),
      [Symbol.asyncDispose]: async () => input.close(),
    }
  } catch (error) {
    throw new DeviceOffline(`${path}: ${messageOf(error)}`, {})
  }
}

function simulatedLine(path: string, line: number): LineInput {
  const socket = new PinSocket(path)
  return {
    simulated: true,
    level: async () => {
      const [level] = await socket.ask(Uint8Array.of(line))
      if (level !== 0 && level !== 1) throw new HardwareFault(`${path} has no line ${line}`, 'NONE')
      return level === 1
    },
    [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
  }
}

const NO_SUCH_LINE = 2

/** A simulated chip: `level` gives undefined for a line that it does not have. */
export function serveLines(path: string, level: (line: number) => boolean | undefined): Promise<AsyncDisposable> {
  return servePins(path, ([line = 0]) => {
    const is = level(line)
    return Uint8Array.of(is === undefined ? NO_SUCH_LINE : is ? 1 : 0)
  })
}

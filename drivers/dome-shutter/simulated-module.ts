import { createServer, type Server, type ServerResponse } from 'node:http'
import { PluggedPort } from '../simulation/plugged-port.ts'
import type { SimulatorHost } from '../simulation/simulator.ts'
import type { SimulatedShutter } from './simulated-shutter.ts'

export type ModuleOptions = {
  readonly shutter: SimulatedShutter
  readonly host: SimulatorHost
  readonly seconds: () => number
  /** How many times faster `seconds` goes than the client's. */
  readonly timeFactor?: number
  /** 0: a free one, the same again after unplug and plugIn. */
  readonly port: number
}

type Reply = { readonly status: number; readonly body: string }

const HOST = '127.0.0.1'
const INFO = {
  name: null,
  id: 'shellypro4pm-30c6f7000000',
  mac: '30C6F7000000',
  model: 'SPSW-104PE16EU',
  gen: 2,
  fw_id: '20240101-000000/1.1.0',
  app: 'Pro4PM',
}
/** The module's own errors, of which the next answer can be one. */
const ERRORS: Readonly<Record<string, string>> = {
  '-103': 'Invalid argument',
  '-104': 'Deadline exceeded',
  '-109': 'Failed precondition',
  '-114': 'Service unavailable',
}

/** A Shelly module on a TCP port of its own, with the shutter's relays and end switches. */
export class SimulatedModule extends PluggedPort {
  readonly errors = [...Object.keys(ERRORS), 'both-ends']
  readonly #options: ModuleOptions
  readonly #timers = new Set<NodeJS.Timeout>()
  #nextError: string | undefined

  constructor(options: ModuleOptions) {
    super({ host: HOST, port: options.port })
    this.#options = options
  }

  protected newServer(): Server {
    return createServer((request, response) => this.#serve(request.url ?? '', response))
  }

  override async unplug(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    await super.unplug()
  }

  #serve(url: string, response: ServerResponse): void {
    this.faults.provoke({ provoke: (code) => this.#provoke(code) }, this.#options.seconds())
    const { status, body } = this.#reply(new URL(url, 'http://module'))
    const whole = Buffer.from(body)
    const suffered = this.faults.suffer(whole, { foreign: () => Buffer.from('{"id":99,"state":false}') })
    if (suffered === undefined) return // until the client has had enough
    const cut = suffered.bytes.length < whole.length
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': cut ? whole.length : suffered.bytes.length, connection: 'close' })
      if (cut) response.write(suffered.bytes, () => response.destroy())
      else response.end(suffered.bytes)
    }, suffered.afterMs)
    this.#timers.add(timer)
  }

  #provoke(code: string): void {
    if (code === 'both-ends') this.#options.shutter.bothPressed = true
    else this.#nextError = code
  }

  #reply(url: URL): Reply {
    const error = this.#nextError
    if (error !== undefined) {
      this.#nextError = undefined
      return failure(Number(error), ERRORS[error] ?? '')
    }
    const { shutter, seconds, host, timeFactor = 1 } = this.#options
    const id = Number(url.searchParams.get('id') ?? Number.NaN)
    switch (url.pathname) {
      case '/rpc/Shelly.GetDeviceInfo':
        return success(INFO)
      case '/rpc/Switch.GetStatus':
        return status(id, 'output', shutter.output(id, seconds()))
      case '/rpc/Input.GetStatus':
        return status(id, 'state', shutter.input(id, seconds()))
      case '/rpc/Switch.Set': {
        const on = url.searchParams.get('on')
        const after = url.searchParams.get('toggle_after')
        if ((on !== 'true' && on !== 'false') || (after !== null && !(Number(after) > 0))) return failure(-103, 'Missing or bad argument')
        const was = shutter.set(id, on === 'true', after === null ? undefined : Number(after) * timeFactor, seconds())
        if (was === undefined) return missing(id)
        host.accepted(`Switch.Set${url.search}`)
        return success({ was_on: was })
      }
    }
    return { status: 404, body: JSON.stringify({ code: 404, message: `No handler for ${url.pathname.slice('/rpc/'.length)}` }) }
  }
}

function status(id: number, name: 'output' | 'state', value: boolean | undefined): Reply {
  return value === undefined ? missing(id) : success({ id, [name]: value })
}

function success(answer: object): Reply {
  return { status: 200, body: JSON.stringify(answer) }
}

function failure(code: number, message: string): Reply {
  return { status: 500, body: JSON.stringify({ code, message }) }
}

function missing(id: number): Reply {
  return failure(-105, `Argument 'id', value ${id} not found!`)
}

import { rm, stat } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { DeviceOffline, HardwareFault } from '../../core/errors.ts'

/**
 * What stands for a chip of the kernel (an SPI select, a GPIO line) where it is simulated: a Unix socket. Each message is one length byte and so many bytes;
 * every question has one answer, in order, and an empty answer is an I/O error.
 */

const ANSWER_WITHIN_MS = 200 // a real transfer takes microseconds
const MAX_BYTES = 255
const MAX_HELD_BYTES = 4096 // of one peer without a whole message in it; more is no peer of ours

/** Whether the file is such a socket. What is not there is none, and opening it as a chip says so. */
export async function isPinSocket(path: string): Promise<boolean> {
  return await stat(path).then(
    (file) => file.isSocket(),
    () => false,
  )
}

export class PinSocket implements AsyncDisposable {
  readonly #path: string
  #socket: Socket | undefined
  #answered: ((answer: Uint8Array | Error) => void) | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /** One question after the other. After a failure the next one is asked on a connection of its own, so that a late answer finds nobody. */
  ask(bytes: Uint8Array): Promise<Uint8Array> {
    const answer = this.#turn.then(() => this.#ask(bytes))
    this.#turn = answer.catch(() => undefined) // told to who asked
    return answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#drop(new DeviceOffline(`${this.#path}: closed`, {}))
    await this.#turn
  }

  async #ask(bytes: Uint8Array): Promise<Uint8Array> {
    this.#socket ??= this.#connect()
    const socket = this.#socket
    const answer = await new Promise<Uint8Array | Error>((resolve) => {
      const timer = setTimeout(() => resolve(new HardwareFault(`${this.#path} did not answer within ${ANSWER_WITHIN_MS} ms`, 'NONE')), ANSWER_WITHIN_MS)
      this.#answered = (given) => {
        clearTimeout(timer)
        resolve(given)
      }
      socket.write(framed(bytes))
    })
    this.#answered = undefined
    if (answer instanceof Error) {
      this.#drop(answer)
      throw answer
    }
    if (answer.length === 0) throw new HardwareFault(`${this.#path}: input/output error`, 'NONE')
    return answer
  }

  #connect(): Socket {
    const socket = createConnection(this.#path)
    const messages = new Messages((message) => this.#answered?.(message))
    socket.on('data', (bytes) => messages.take(bytes))
    const lost = (why: string): void => {
      if (this.#socket === socket) this.#drop(new DeviceOffline(`${this.#path}: ${why}`, {}))
    }
    socket.on('error', (error) => lost(error.message))
    socket.on('close', () => lost('closed'))
    return socket
  }

  #drop(why: Error): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#answered?.(why)
  }
}

/** The simulated chip's side, in the place of what a dead one left behind. `answer` gives undefined to stay silent. */
export async function servePins(path: string, answer: (question: Uint8Array) => Uint8Array | undefined): Promise<AsyncDisposable> {
  const clients = new Set<Socket>()
  const server: Server = createServer((client) => {
    clients.add(client)
    const messages = new Messages((question) => {
      const given = answer(question)
      if (given !== undefined) client.write(framed(given))
    })
    client.on('data', (bytes) => messages.take(bytes))
    client.on('error', () => client.destroy()) // a client that goes away is no concern of ours
    client.on('close', () => clients.delete(client))
  })
  await rm(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function framed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(Math.min(bytes.length, MAX_BYTES), ...bytes.subarray(0, MAX_BYTES))
}

class Messages {
  readonly #each: (message: Uint8Array) => void
  #held = Buffer.alloc(0)

  constructor(each: (message: Uint8Array) => void) {
    this.#each = each
  }

  take(bytes: Uint8Array): void {
    this.#held = Buffer.concat([this.#held, bytes]).subarray(-MAX_HELD_BYTES)
    for (let [length] = this.#held; length !== undefined && this.#held.length > length; [length] = this.#held) {
      const message = Uint8Array.from(this.#held.subarray(1, length + 1))
      this.#held = this.#held.subarray(length + 1)
      this.#each(message)
    }
  }
}

import { connect, type Socket } from 'node:net'
import { type GraphStore, GraphUnavailable, isIdle, type Parameters, READ_DEADLINE_MS, type Row, type Statement, WRITE_DEADLINE_MS } from '../store.ts'
import { type GraphAnswer, type GraphRequest, receive, send } from './wire.ts'

const MAX_WAITING = 200 // questions; more means that nobody answers
/** Beyond the store's own deadline: it tells of that itself. */
const GRACE_MS = 1_000

type Ask = GraphRequest extends infer Request ? (Request extends { readonly id: number } ? Omit<Request, 'id'> : never) : never
type Waiting = { readonly resolve: (answer: GraphAnswer) => void; readonly reject: (error: Error) => void; readonly timer: NodeJS.Timeout }

/** The embedded store in its own process, seen from another one. Connects at the first question, and again after each loss. */
export function connectLadybug(socketPath: string): GraphStore {
  return new LadybugClient(socketPath)
}

class LadybugClient implements GraphStore {
  readonly kind = 'LadybugDB'
  readonly embedded = true
  readonly #socketPath: string
  readonly #waiting = new Map<number, Waiting>()
  #socket: Socket | undefined
  #nextId = 1
  #closed = false

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  async read<T extends Row>(text: string, parameters: Parameters = {}): Promise<T[]> {
    if (isIdle({ text, parameters })) return []
    const answer = await this.#ask({ read: { text, parameters } }, READ_DEADLINE_MS)
    if ('rows' in answer) return answer.rows as T[]
    throw new GraphUnavailable(problemOf(answer))
  }

  async write(statements: readonly Statement[]): Promise<boolean> {
    const answer = await this.#ask({ write: statements }, WRITE_DEADLINE_MS)
    if ('written' in answer) return answer.written
    throw new GraphUnavailable(problemOf(answer))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#socket?.destroy()
    this.#fail('it was closed')
  }

  #ask(question: Ask, deadlineMs: number): Promise<GraphAnswer> {
    if (this.#closed) return Promise.reject(new GraphUnavailable('the graph was closed'))
    if (this.#waiting.size >= MAX_WAITING) return Promise.reject(new GraphUnavailable(`the embedded graph leaves ${MAX_WAITING} questions unanswered`))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.#waiting.delete(id)
        reject(new GraphUnavailable(`the embedded graph did not answer within ${deadlineMs} ms`))
      }
      this.#waiting.set(id, { resolve, reject, timer: setTimeout(late, deadlineMs + GRACE_MS) })
      send(this.#connected(), { id, ...question })
    })
  }

  #connected(): Socket {
    if (this.#socket !== undefined) return this.#socket
    const socket = connect(this.#socketPath) // what is sent before it is open waits in it
    this.#socket = socket
    let reason = 'its process ended'
    socket.unref() // an idle connection keeps no process alive; a question that waits has its timer
    socket.on('error', (error) => {
      reason = error.message
    })
    socket.on('close', () => {
      this.#socket = undefined
      this.#fail(reason)
    })
    receive<GraphAnswer>(socket, (answer) => {
      const waiting = this.#waiting.get(answer.id)
      if (waiting === undefined) return // it came too late
      this.#waiting.delete(answer.id)
      clearTimeout(waiting.timer)
      waiting.resolve(answer)
    })
    return socket
  }

  #fail(reason: string): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(new GraphUnavailable(`the embedded graph is away: ${reason}`))
    }
    this.#waiting.clear()
  }
}

function problemOf(answer: GraphAnswer): string {
  return `the embedded graph refused: ${'problem' in answer ? answer.problem : 'its answer makes no sense'}`
}

import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, execute, print } from 'graphql'
import type { Logger } from 'pino'
import type { Context } from '../context.ts'
import { publicErrors } from '../errors.ts'
import { SharedExecution } from './execution.ts'
import { RawJson } from './raw-json.ts'
import { SharedText } from './shared-text.ts'

/**
 * Subscriptions that are the same (document, variables, operation, and who asks) share one source, one execution for each event and one serialised text.
 * A slow client has a queue of its own and changes nothing for the others.
 */
export interface SubscriptionHub {
  /** `renew`: a context for each event, so that what its loaders read is the present of that event. */
  subscribe(args: ExecutionArgs, renew: (context: Context) => Context): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>
  /** A message of graphql-ws in which the mark of a shared text stands, in two parts: the client's own, and the text that all get. */
  expand(message: string): { readonly head: string; readonly shared: SharedText } | undefined
  figures(): { readonly subscribers: number; readonly executions: number; readonly events: number; readonly dropped: number }
}

/** Stands in a message until it is sent, so that the text is written once, not once for each client. */
const MARK = /"payload":\{"\$shared":(\d+)\}\}$/

export function createSubscriptionHub(log: Logger): SubscriptionHub {
  const joinable = new Map<string, SharedExecution>()
  const running = new Set<SharedExecution>()
  const starting = new Map<string, Promise<unknown>>()
  const texts = new Map<number, SharedText>()
  let lastMark = 0
  let events = 0
  let dropped = 0

  return {
    async subscribe(args, renew) {
      const key = keyOf(args)
      await starting.get(key)?.catch(() => undefined) // the first of several at once makes the source, the others join it
      const known = joinable.get(key)
      if (known?.joinable === true) return marked(known.join())
      const begun = start(key, args, renew)
      starting.set(key, begun)
      try {
        const execution = await begun
        return execution instanceof SharedExecution ? marked(execution.join()) : execution
      } finally {
        if (starting.get(key) === begun) starting.delete(key)
      }
    },
    expand(message) {
      const found = MARK.exec(message)
      if (found === null) return undefined
      const mark = Number(found[1])
      const text = texts.get(mark)
      texts.delete(mark)
      return text && { head: `${message.slice(0, found.index)}"payload":`, shared: text }
    },
    figures: () => ({ subscribers: [...running].reduce((sum, { clients }) => sum + clients, 0), executions: running.size, events, dropped }),
  }

  async function start(key: string, args: ExecutionArgs, renew: (context: Context) => Context): Promise<SharedExecution | ExecutionResult> {
    const source = await createSourceEventStream(args)
    if (!(Symbol.asyncIterator in source)) return { errors: publicErrors(source.errors ?? [], log) }
    const execution = new SharedExecution({
      source,
      async textOf(item) {
        events += 1
        const raw = new RawJson()
        const { errors, ...rest } = await execute({ ...args, rootValue: item, contextValue: { ...renew(args.contextValue as Context), raw } })
        return new SharedText(raw.stringify(errors === undefined ? rest : { ...rest, errors: publicErrors(errors, log) }))
      },
      textOfError: (error) => new SharedText(JSON.stringify({ errors: publicErrors([error], log) })),
      onDrop: (count) => {
        dropped += count
      },
      onEnd: () => {
        running.delete(execution)
        if (joinable.get(key) === execution) joinable.delete(key)
      },
    })
    running.add(execution)
    if (execution.joinable) joinable.set(key, execution)
    return execution
  }

  /** graphql-ws writes the mark into its message; `expand` puts the text there when the message is sent, which follows at once. */
  function marked(shared: AsyncIterableIterator<SharedText>): AsyncIterableIterator<ExecutionResult> {
    return {
      async next() {
        const { done, value } = await shared.next()
        if (done === true) return { done, value: undefined }
        lastMark += 1
        texts.set(lastMark, value)
        const mark: Record<string, unknown> = { $shared: lastMark }
        return { done: false, value: mark }
      },
      async return() {
        await shared.return?.()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }
}

function keyOf({ document, variableValues, operationName, contextValue }: ExecutionArgs): string {
  const { actor } = contextValue as Context
  return JSON.stringify([actor.kind, actor.id, actor.role, operationName ?? null, variableValues ?? {}, print(document)])
}

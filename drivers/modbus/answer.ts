import { DeadlineExceeded, HardwareFault, Problem } from '../../core/errors.ts'
import { problemOf } from '../transport/exchange-queue.ts'
import { exceptionOf, exceptionText, type Request } from './pdu.ts'

/** What is thrown for a request that was sent and is not answered as it should be. */

export function effectOf(request: Request): 'NONE' | 'POSSIBLE' {
  return request.acts ? 'POSSIBLE' : 'NONE'
}

/** The words or bits of a whole reply from the right unit. */
export function wordsOf(request: Request, reply: Uint8Array, where: string): readonly number[] {
  const exception = exceptionOf(request, reply)
  if (exception !== undefined) throw new HardwareFault(`${where}: ${request.what}: ${exceptionText(exception)}`, 'NONE', { instrumentCode: String(exception) })
  const words = request.decode(reply)
  if (words === undefined) throw new HardwareFault(`${where}: ${request.what}: the reply is to something else`, effectOf(request))
  return words
}

export function silence(request: Request, where: string, timeoutMs: number): Problem {
  return new DeadlineExceeded(`${where}: ${request.what}: no answer within ${timeoutMs} ms`, timeoutMs, effectOf(request))
}

/** The promise, or the first signal's problem, with what the request may have done. */
export async function untilAborted<T>(promise: Promise<T>, signals: readonly AbortSignal[], request: Request): Promise<T> {
  const listening: (() => void)[] = []
  try {
    return await new Promise<T>((resolve, reject) => {
      for (const signal of signals) {
        const onAbort = (): void => reject(withEffect(problemOf(signal, effectOf(request)), request))
        if (signal.aborted) onAbort()
        signal.addEventListener('abort', onAbort, { once: true })
        listening.push(() => signal.removeEventListener('abort', onAbort))
      }
      promise.then(resolve, reject)
    })
  } finally {
    for (const stop of listening) stop()
  }
}

/** A lost connection, with what the request on it may have done. */
export function withEffect(problem: unknown, request: Request): unknown {
  return problem instanceof Problem && problem.code === 'DEVICE_OFFLINE' ? problem.with({ effect: effectOf(request) }) : problem
}

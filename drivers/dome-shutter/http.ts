import { get } from 'node:http'
import { DeadlineExceeded, DeviceOffline, type Effect, HardwareFault, messageOf, type Problem } from '../../core/errors.ts'

const MAX_BODY_BYTES = 64 * 1024 // the longest answer of a module has a few hundred

export type Answer = { readonly status: number; readonly body: string }

/** Codes with which a connection is refused before anything was sent: nothing can have acted. */
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTDOWN'])

/**
 * One GET on a connection of its own. Throws DeviceOffline when there was no connection (effect NONE), DeadlineExceeded after `timeoutMs`, HardwareFault when
 * the answer broke off; `effect` is what a request that was sent may have done.
 */
export async function httpGet(url: string, effect: Effect, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  const deadline = AbortSignal.timeout(timeoutMs)
  return await new Promise<Answer>((resolve, reject) => {
    const failed = (error: Error): void => reject(problemOf(error))
    const problemOf = (error: Error): Problem => {
      if ('code' in error && UNREACHABLE.has(String(error.code))) return new DeviceOffline(`${url}: ${messageOf(error)}`, {})
      if (deadline.aborted) return new DeadlineExceeded(`${url} was not answered within ${timeoutMs} ms`, timeoutMs, effect)
      return new HardwareFault(`${url}: ${signal.aborted ? 'given up' : messageOf(error)}`, effect)
    }
    const request = get(url, { agent: false, signal: AbortSignal.any([deadline, signal]) }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
        if (body.length > MAX_BODY_BYTES) response.destroy(new Error(`more than ${MAX_BODY_BYTES} bytes`))
      })
      response.on('error', failed)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    request.on('error', failed)
  })
}

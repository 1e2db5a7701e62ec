import { messageOf, Problem } from '../../core/errors.ts'
import { httpGet } from './http.ts'

/** Something that must be so before the shutter opens: a member of a JSON answer, asked for by HTTP. */
export type Interlock = {
  /** For people, e.g. "the weather". */
  readonly what: string
  readonly url: string
  /** Names of members, with dots between, e.g. `data.device.motion.moving`. */
  readonly path: string
  readonly mustBe: string
}

const ANSWER_MS = 3000

/** undefined: it is so. Otherwise why not; who does not answer forbids. */
export async function whyNot({ what, url, path, mustBe }: Interlock, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { status, body } = await httpGet(url, 'NONE', ANSWER_MS, signal)
    if (status !== 200) return `${what} is not known: ${url} answers HTTP ${status}`
    const value = memberAt(JSON.parse(body), path)
    return value === mustBe ? undefined : `${what} forbids it: ${path} is ${value ?? 'missing'}, and must be ${mustBe}`
  } catch (error) {
    return `${what} is not known: ${messageOf(error)}`
  }
}

/** Throws INTERLOCK_BLOCKED with every reason. */
export async function requireAll(interlocks: readonly Interlock[], signal: AbortSignal): Promise<void> {
  const reasons = (await Promise.all(interlocks.map((interlock) => whyNot(interlock, signal)))).filter((reason) => reason !== undefined)
  if (reasons.length > 0) throw new Problem('INTERLOCK_BLOCKED', `the shutter stays as it is: ${reasons.join('; ')}`, { reasons, effect: 'NONE' })
}

function memberAt(value: unknown, path: string): string | undefined {
  let at = value
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[name]
  }
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean' ? String(at) : undefined
}

/**
 * Shelly modules of the second generation: RPC by HTTP GET (shelly-api-docs.shelly.cloud, "Gen2+ Device API": RPC over HTTP, Shelly, Switch, Input). An error is
 * an HTTP error with `{ code, message }`.
 */

export const ask = {
  deviceInfo: '/rpc/Shelly.GetDeviceInfo',
  switchStatus: (id: number) => `/rpc/Switch.GetStatus?id=${id}`,
  inputStatus: (id: number) => `/rpc/Input.GetStatus?id=${id}`,
}

/** `toggleAfterSeconds`: the module switches back by itself then, whatever has become of us. */
export function setSwitch(id: number, on: boolean, toggleAfterSeconds?: number): string {
  return `/rpc/Switch.Set?id=${id}&on=${on}${toggleAfterSeconds === undefined ? '' : `&toggle_after=${toggleAfterSeconds}`}`
}

export type ModuleError = { readonly code: number; readonly message: string }

/** An object; undefined: the text is none. */
function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

export function parseDeviceInfo(text: string): { readonly id: string; readonly model: string; readonly generation: number } | undefined {
  const { id, model, gen } = objectOf(text) ?? {}
  return typeof id === 'string' && typeof model === 'string' && typeof gen === 'number' ? { id, model, generation: gen } : undefined
}

/** Whether the switch was on before it was set. */
export function parseSet(text: string): boolean | undefined {
  const was = objectOf(text)?.was_on
  return typeof was === 'boolean' ? was : undefined
}

/** Whether switch `id` is on; an answer of another one is none. */
export function parseSwitch(text: string, id: number): boolean | undefined {
  const answer = objectOf(text)
  return answer?.id === id && typeof answer.output === 'boolean' ? answer.output : undefined
}

/** The state of input `id`; an answer of another one is none, and so is an input that is switched off (null). */
export function parseInput(text: string, id: number): boolean | undefined {
  const answer = objectOf(text)
  return answer?.id === id && typeof answer.state === 'boolean' ? answer.state : undefined
}

export function parseError(text: string): ModuleError | undefined {
  const { code, message } = objectOf(text) ?? {}
  return typeof code === 'number' && typeof message === 'string' ? { code, message } : undefined
}

import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { ClientsCounts } from './camera-clients.ts'

export type People = {
  readonly viewers: number
  /** Of the viewers' pictures: FULL, PREVIEW or FAST; and how many a second they ask for. */
  readonly quality: string
  readonly rateHz: number
  /** Viewers that never read what is sent to them. */
  readonly stalled: number
  /** Each follows all readings, and asks for all devices and their parameters again and again. */
  readonly dashboards: number
}

/** camera-clients.ts in a process of its own. */
export interface RunningPeople extends AsyncDisposable {
  readonly pid: number
  /** Since the call before. */
  counts(): Promise<ClientsCounts>
}

/** Everybody is connected when it resolves. */
export async function startPeople(url: string, deviceId: string, { viewers, quality, rateHz, stalled, dashboards }: People): Promise<RunningPeople> {
  const clients = fork(path.join(import.meta.dirname, 'camera-clients.ts'), {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      URL: url,
      DEVICE_ID: deviceId,
      QUALITY: quality,
      RATE_HZ: String(rateHz),
      VIEWERS: String(viewers),
      STALLED: String(stalled),
      DASHBOARDS: String(dashboards),
    },
  })
  const ended = new AbortController()
  clients.once('exit', () => ended.abort(new Error('the clients ended')))
  const answer = async (): Promise<unknown> => (await once(clients, 'message', { signal: ended.signal }))[0]
  await answer()
  return {
    pid: clients.pid ?? 0,
    async counts() {
      clients.send('counts')
      return (await answer()) as ClientsCounts
    },
    async [Symbol.asyncDispose]() {
      if (!clients.connected) return
      clients.disconnect()
      await once(clients, 'exit')
    },
  }
}

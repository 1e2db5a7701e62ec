import { expect, test } from 'vitest'
import { listenForProbes } from '../../../workers/compute/probe.ts'

test('says whether it can take jobs, and nothing else', async () => {
  let problem: string | undefined
  await using probes = await listenForProbes(0, () => problem)
  const url = `http://127.0.0.1:${probes.port}`
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  problem = 'the queue is away'
  const away = await fetch(`${url}/healthz`)
  expect([away.status, await away.text()]).toEqual([503, 'the queue is away\n'])
  expect((await fetch(url)).status).toBe(404)
  expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(404)
})

test('a taken port is told in one sentence', async () => {
  await using probes = await listenForProbes(0, () => undefined)
  await expect(listenForProbes(probes.port, () => undefined)).rejects.toThrow(`COMPUTE_PROBE_PORT=${probes.port}: the port is taken`)
})

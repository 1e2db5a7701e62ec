import express, { type Router } from 'express'
import type { Services } from '../context.ts'
import { databaseHealth } from '../health.ts'
import type { SubscriptionHub } from '../subscriptions/hub.ts'

/** For whoever watches the process: does it live, does it serve, and its figures in the text format of Prometheus. */
export function createProbes(services: Services, hub: SubscriptionHub): Router {
  const router = express.Router()
  router.get('/healthz', (_request, response) => void response.type('text').send('ok\n'))
  router.get('/readyz', async (_request, response) => {
    const { state, message } = await databaseHealth(services)
    response
      .status(state === 'OK' ? 200 : 503)
      .type('text')
      .send(state === 'OK' ? 'ready\n' : `the database is away: ${message ?? ''}\n`)
  })
  router.get('/metrics', (_request, response) => {
    const { user, system } = process.cpuUsage()
    const { subscribers, executions, events, dropped } = hub.figures()
    const stations = services.stations.all()
    response
      .type('text/plain; version=0.0.4')
      .send(
        [
          figure('process_cpu_seconds_total', 'counter', 'CPU time of this process.', (user + system) / 1e6),
          figure('process_resident_memory_bytes', 'gauge', 'Memory of this process.', process.memoryUsage.rss()),
          figure('kymograph_stations', 'gauge', 'Registered stations.', stations.length),
          figure('kymograph_stations_online', 'gauge', 'Stations that are connected.', stations.filter(({ online }) => online).length),
          figure('kymograph_subscriptions', 'gauge', 'Subscriptions of clients.', subscribers),
          figure('kymograph_subscription_executions', 'gauge', 'Executions behind them; equal subscriptions share one.', executions),
          figure('kymograph_subscription_events_total', 'counter', 'Events executed and serialised.', events),
          figure('kymograph_subscription_dropped_total', 'counter', 'Events not sent to clients that were too slow for them.', dropped),
        ].join(''),
      )
  })
  return router
}

function figure(name: string, type: 'counter' | 'gauge', help: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`
}

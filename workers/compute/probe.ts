import { once } from 'node:events'
import { createServer } from 'node:http'
import { CannotStart } from '../../link/child.ts'

/** `GET /healthz` for whoever watches this process: 200 while it can take jobs, 503 with the reason while it cannot. On loopback only. */
export async function listenForProbes(port: number, problem: () => string | undefined): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(({ method, url }, response) => {
    if (method !== 'GET' || url !== '/healthz') return void response.writeHead(404).end()
    const reason = problem()
    response.writeHead(reason === undefined ? 200 : 503, { 'content-type': 'text/plain' }).end(`${reason ?? 'ok'}\n`)
  })
  server.listen({ host: '127.0.0.1', port, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') throw new CannotStart(`COMPUTE_PROBE_PORT=${port}: the port is taken`)
    throw error
  }
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

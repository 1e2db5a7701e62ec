import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import path from 'node:path'
import type { GraphStore } from '../store.ts'
import { type GraphRequest, receive, send } from './wire.ts'

const MAX_CLIENTS = 32 // a few processes of one machine
const OWNER_ONLY = 0o600

/** Serves an open store on a Unix socket to the processes of this machine and user. The store stays its opener's. */
export async function serveGraph(store: GraphStore, socketPath: string): Promise<AsyncDisposable> {
  const clients = new Set<Socket>()
  const server = createServer((socket) => {
    clients.add(socket)
    socket.on('error', () => socket.destroy()) // a client that has gone
    socket.on('close', () => clients.delete(socket))
    receive<GraphRequest>(socket, (request) => void answer(store, socket, request))
  })
  server.maxConnections = MAX_CLIENTS
  await mkdir(path.dirname(socketPath), { recursive: true })
  await rm(socketPath, { force: true }) // of a process that was killed; who may hold the graph is settled by the lock on its folder
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve))
  await chmod(socketPath, OWNER_ONLY)
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of clients) socket.destroy()
      await closed
    },
  }
}

async function answer(store: GraphStore, socket: Socket, request: GraphRequest): Promise<void> {
  const { id } = request
  try {
    if ('read' in request) send(socket, { id, rows: await store.read(request.read.text, request.read.parameters) })
    else send(socket, { id, written: await store.write(request.write) })
  } catch (error) {
    if (!socket.destroyed) send(socket, { id, problem: error instanceof Error ? error.message : String(error) })
  }
}

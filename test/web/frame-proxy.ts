import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { FRAME_PATH } from '../../api/frames/ticket.ts'

export type FrameProxy = AsyncDisposable & {
  /** To open the page at, instead of the lab's own. */
  readonly url: string
  /** No more frames are carried to the page, and all else is: a network that is too slow for them. */
  stall(): void
  flow(): void
}

/** Between a page and the api at `port`, byte for byte. */
export async function openFrameProxy(port: number): Promise<FrameProxy> {
  const open = new Set<Socket>()
  const frames = new Map<Socket, Socket>() // from the api, and the page that they go to
  const server = createServer((page) => {
    const api = connect(port, '127.0.0.1')
    for (const socket of [page, api]) {
      open.add(socket)
      socket.on('error', () => socket.destroy()) // the other one ended: what a proxy cannot mend
      socket.on('close', () => {
        open.delete(socket)
        frames.delete(api)
        page.destroy()
        api.destroy()
      })
    }
    page.once('data', (head) => {
      if (head.toString('latin1').startsWith(`GET ${FRAME_PATH}?`)) frames.set(api, page)
    })
    page.pipe(api)
    api.pipe(page)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stall: () => {
      for (const api of frames.keys()) api.unpipe().pause()
    },
    flow: () => {
      for (const [api, page] of frames) api.pipe(page)
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

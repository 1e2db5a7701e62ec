import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { RequestHandler } from 'express'

const DEFAULT_QUERY = `# Everything that this lab can tell and do. The book on the left lists it all.
query Lab {
  lab { name version stations { name online } }
  devices(first: 20) {
    edges { node { name driverId connection simulated parameters { name unit reading { number text quality time } } } }
  }
}
`

/** The page needs its own inline script and starts its editors' workers from blobs; it loads nothing from elsewhere. */
const POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' ws: wss:; frame-ancestors 'none'"

type Page = { readonly bytes: Buffer; readonly etag: string }

/** GraphiQL from the installation, for whoever asks with a browser. Nine megabytes of text: packed once, at the first visit, and kept by the browser. */
export function createPlayground(endpoint: string): RequestHandler {
  let page: Promise<Page> | undefined
  return async (request, response, next) => {
    if (request.method !== 'GET' || request.headers['sec-websocket-key'] !== undefined || !acceptsHtml(request.headers.accept)) return next()
    page ??= pack(endpoint)
    const { bytes, etag } = await page
    response.setHeader('Content-Security-Policy', POLICY)
    response.setHeader('Cache-Control', 'no-cache')
    response.setHeader('ETag', etag)
    response.setHeader('Vary', 'Accept')
    if (request.headers['if-none-match'] === etag) return void response.status(304).end()
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.setHeader('Content-Encoding', 'gzip')
    response.end(bytes)
  }
}

function acceptsHtml(accept = ''): boolean {
  return accept.split(',').some((type) => type.trim().startsWith('text/html'))
}

async function pack(endpoint: string): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const html = renderGraphiQL({ endpoint, subscriptionsProtocol: 'WS', title: 'Kymograph playground', defaultQuery: DEFAULT_QUERY })
  const bytes = await promisify(gzip)(html)
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 24)}"` }
}

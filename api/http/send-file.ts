import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { NotFound } from '../../core/errors.ts'
import { attachment, noneMatch, parseByteRange, rangeStillHolds } from './byte-range.ts'

/** A file that never changes. `sha256` becomes its tag where it is known. */
export type ServedFile = { readonly path: string; readonly name: string; readonly mediaType: string; readonly sha256?: string | undefined }

const READ_BYTES = 256 * 1024 // waiting for each client that reads slowly, and no more
const KEEP_SECONDS = 86_400 // what is here never changes; after a day a cache asks again whether it is still there

/** One range, tags, HEAD. Reads no faster than the client does, and stops when it goes. */
export async function sendFile(request: Request, response: Response, { path, name, mediaType, sha256 }: ServedFile): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' || error.code === 'ELOOP' ? new NotFound(`file ${name} on this host`) : error
  })
  try {
    const { size, mtimeMs } = await file.stat()
    const etag = sha256 === undefined ? `"${size}-${mtimeMs}"` : `"${sha256}"`
    describe(response, etag, mediaType)
    response.setHeader('Accept-Ranges', 'bytes')
    if (noneMatch(request.headers['if-none-match'], etag)) return void response.status(304).end()

    const range = rangeStillHolds(request.header('if-range'), etag) ? parseByteRange(request.headers.range, size) : undefined
    if (range === 'unsatisfiable') return void response.status(416).setHeader('Content-Range', `bytes */${size}`).end()
    const { first, last } = range ?? { first: 0, last: size - 1 }
    if (range !== undefined) response.status(206).setHeader('Content-Range', `bytes ${first}-${last}/${size}`)
    response.setHeader('Content-Disposition', attachment(name))
    response.setHeader('Content-Length', last - first + 1)
    if (request.method === 'HEAD' || size === 0) return void response.end()
    await pipeline(file.createReadStream({ start: first, end: last, highWaterMark: READ_BYTES, autoClose: false }), response).catch(ignoreGone)
  } finally {
    await file.close()
  }
}

/** Bytes that are already here, such as one frame. */
export function sendBytes(request: Request, response: Response, bytes: Uint8Array): void {
  response.setHeader('Content-Length', bytes.byteLength)
  if (request.method === 'HEAD') response.end()
  else response.end(bytes)
}

/** True: the client has it already, and was told so. */
export function sentNotModified(request: Request, response: Response, etag: string, mediaType: string): boolean {
  describe(response, etag, mediaType)
  if (!noneMatch(request.headers['if-none-match'], etag)) return false
  response.status(304).end()
  return true
}

function describe(response: Response, etag: string, mediaType: string): void {
  response.setHeader('ETag', etag)
  response.setHeader('Cache-Control', `private, max-age=${KEEP_SECONDS}, immutable`)
  response.setHeader('Content-Type', mediaType)
  response.setHeader('X-Content-Type-Options', 'nosniff')
}

/** A client that goes away in the middle is no fault of ours. */
function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET' && error.code !== 'EPIPE') throw error
}

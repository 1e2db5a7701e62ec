import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { NotFound } from '../../core/errors.ts'
import { attachment, noneMatch, notSince, parseByteRange, rangeStillHolds } from './byte-range.ts'
import { CLIENT_STALL_MS, ClientPatience, PIECE_BYTES } from './client-patience.ts'

/** A file that never changes. `sha256` becomes its tag where it is known. */
export type ServedFile = { readonly path: string; readonly name: string; readonly mediaType: string; readonly sha256?: string | undefined }

/** What is said of an answer before its bytes. */
export type About = {
  /** Strong: with the quotes. */
  readonly etag: string
  readonly mediaType: string
  readonly modified?: Date | undefined
  /** It may still become something else: caches ask each time. */
  readonly changes?: boolean | undefined
  /** The name under which a browser keeps it; absent: it is shown. */
  readonly name?: string | undefined
}

type Bytes = AsyncIterable<Uint8Array>

const KEEP_SECONDS = 86_400 // what is here never changes; after a day a cache asks again whether it is still there

/** One range, tags, HEAD. Reads no faster than the client does, and stops when it goes. */
export async function sendFile(request: Request, response: Response, { path, name, mediaType, sha256 }: ServedFile, stallMs?: number): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' || error.code === 'ELOOP' ? new NotFound(`file ${name} on this host`) : error
  })
  try {
    const { size, mtimeMs, mtime } = await file.stat()
    const about = { etag: sha256 === undefined ? `"${size}-${mtimeMs}"` : `"${sha256}"`, mediaType, modified: mtime, name }
    const read = (first: number, last: number) => file.createReadStream({ start: first, end: last, highWaterMark: PIECE_BYTES, autoClose: false })
    await sendRanges(request, response, about, size, read, stallMs)
  } finally {
    await file.close()
  }
}

/** `bytes` of them, of which `read` gives those from first to last, both included. */
export async function sendRanges(
  request: Request,
  response: Response,
  about: About,
  bytes: number,
  read: (first: number, last: number) => Bytes,
  stallMs?: number,
): Promise<void> {
  if (sentNotModified(request, response, about)) return
  response.setHeader('Accept-Ranges', 'bytes')
  const range = rangeStillHolds(request.header('if-range'), about.etag) ? parseByteRange(request.headers.range, bytes) : undefined
  if (range === 'unsatisfiable') {
    forgetContent(response)
    return void response.status(416).setHeader('Content-Range', `bytes */${bytes}`).end()
  }
  const { first, last } = range ?? { first: 0, last: bytes - 1 }
  if (range !== undefined) response.status(206).setHeader('Content-Range', `bytes ${first}-${last}/${bytes}`)
  response.setHeader('Content-Length', last - first + 1)
  if (request.method === 'HEAD' || bytes === 0) return void response.end()
  await send(response, read(first, last), stallMs)
}

/** Bytes that are already here, such as one frame. */
export function sendBytes(request: Request, response: Response, about: About, bytes: Uint8Array, stallMs?: number): Promise<void> {
  return sendRanges(request, response, about, bytes.byteLength, (first, last) => only(bytes.subarray(first, last + 1)), stallMs)
}

/** As many bytes as come, which nobody knows before: no ranges, no length. */
export async function sendStream(request: Request, response: Response, about: About, bytes: () => Bytes, stallMs?: number): Promise<void> {
  if (sentNotModified(request, response, about)) return
  response.setHeader('Accept-Ranges', 'none')
  if (request.method === 'HEAD') return void response.end()
  await send(response, bytes(), stallMs)
}

/** True: the client has it already, and was told so. */
export function sentNotModified(request: Request, response: Response, { etag, mediaType, modified, changes = false, name }: About): boolean {
  response.setHeader('ETag', etag)
  response.setHeader('Cache-Control', changes ? 'private, no-cache' : `private, max-age=${KEEP_SECONDS}, immutable`)
  response.setHeader('Content-Type', mediaType)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  if (modified !== undefined) response.setHeader('Last-Modified', modified.toUTCString())
  if (name !== undefined) response.setHeader('Content-Disposition', attachment(name))
  const { 'if-none-match': tags, 'if-modified-since': since } = request.headers
  if (tags === undefined ? !notSince(since, modified) : !noneMatch(tags, etag)) return false
  response.removeHeader('Content-Disposition')
  response.status(304).end()
  return true
}

const ABOUT_CONTENT = ['ETag', 'Content-Type', 'Content-Disposition', 'Last-Modified', 'Content-Length', 'Content-Range']

/** What was said of an answer that is not given after all: nobody may keep its refusal as long as that. */
export function forgetContent(response: Response): void {
  for (const name of ABOUT_CONTENT) if (response.hasHeader(name)) response.removeHeader(name) // of one that was never set, too, Node remembers that it is unwanted
  response.setHeader('Cache-Control', 'no-store')
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/**
 * The first bytes are there before anything is sent, so that what is wrong from the start is told in words. A client that goes away in the middle, or takes
 * nothing for stallMs, is no fault of ours; what fails in the middle can only be told by breaking off.
 */
async function send(response: Response, bytes: Bytes, stallMs = CLIENT_STALL_MS): Promise<void> {
  const rest = bytes[Symbol.asyncIterator]()
  const patience = new ClientPatience(stallMs)
  const items = patience.pieces(beginningWith(await rest.next(), rest))
  try {
    await pipeline(items, response, { signal: patience.signal })
  } catch (error) {
    if (!isGone(error) && !patience.signal.aborted) throw error
  } finally {
    patience.end()
    await items.return(undefined) // what is still being read must have ended before its file is closed
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(String(error.code))
}

async function* beginningWith<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

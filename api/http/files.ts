import path from 'node:path'
import type { NextFunction, Request, Response } from 'express'
import { Router } from 'express'
import type { DatasetFile } from '../../core/dataset.ts'
import { FRAMES_FILE, MANIFEST_FILE } from '../../core/dataset.ts'
import type { ProblemCode } from '../../core/errors.ts'
import { Conflict, InvalidValue, messageOf, NotFound, NotSupported, Problem } from '../../core/errors.ts'
import { isUuid } from '../../core/id.ts'
import { formatRfc3339 } from '../../core/time.ts'
import type { Database } from '../../prisma/client.ts'
import type { RecordedFrame } from '../../storage/frame-file.ts'
import { frameStatistics, openFrameFile } from '../../storage/frame-file.ts'
import { grayPng } from '../../storage/png.ts'
import { type ManifestSource, manifestOfRun, manifestOfSession } from '../manifest.ts'
import { sendBytes, sendFile, sentNotModified } from './send-file.ts'

/**
 * Files of datasets and exports, and single frames. Only names that stand in the rows are served, so nothing partial and nothing beside can be reached.
 * Mounted at /files; api/file-urls.ts makes the addresses.
 */
export type FilesOptions = {
  readonly database: Pick<Database, 'prisma'>
  readonly dataDir: string
  /** Throws when the request has no right to read (Forbidden; an error named Unauthenticated for a wrong key). */
  readonly authorize: (request: Request) => Promise<unknown>
}

const MAX_PNGS = 2 // encoded at once: each may hold the pixels of a large camera three times
const RETRY_AFTER_SECONDS = 1
const WHOLE_STATES: readonly string[] = ['COMPLETE', 'RECOVERED']

export function createFilesRouter({ database: { prisma }, dataDir, authorize }: FilesOptions): Router {
  const router = Router()
  let pngs = 0

  router.use(async (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response.setHeader('Allow', 'GET, HEAD'), 405, 'files can only be read')
    await authorize(request)
    next()
  })

  router.get('/exports/:id/:name', async (request, response) => {
    const { id, name } = request.params
    const row = isUuid(id) ? await prisma.export.findUnique({ where: { id } }) : null
    if (row === null) throw new NotFound(`export ${id}`)
    const file = name === row.manifest ? { name, mediaType: 'text/plain; charset=utf-8', sha256: undefined } : fileNamed(row.files, name)
    await sendFile(request, response, { ...file, path: path.join(dataDir, row.folder, name) })
  })

  router.get('/manifests/:of/:name', async (request, response) => {
    const { of, name } = request.params
    const id = /^(.+)\.json$/.exec(name)?.[1]
    const manifest = id !== undefined && isUuid(id) ? await manifestOf(of, id) : null
    if (manifest === null) throw new NotFound(`manifest ${of}/${name}`)
    if (sentNotModified(request, response, `"${manifest.sha256}"`, 'application/json')) return
    sendBytes(request, response, Buffer.from(manifest.text))
  })

  router.get('/datasets/:id/:name', async (request, response) => {
    const { id, name } = request.params
    const row = await datasetRow(id)
    if (!WHOLE_STATES.includes(row.state)) throw new Conflict(`dataset ${row.name} is ${row.state.toLowerCase()}; its files can be had once it is complete`)
    const file = name === MANIFEST_FILE ? { name, mediaType: 'application/json', sha256: undefined } : fileNamed(row.files, name)
    await sendFile(request, response, { ...file, path: path.join(dataDir, row.folder, name) })
  })

  router.get('/datasets/:id/frames/:name', async (request, response) => {
    const { id, name } = request.params
    const [, number, form] = /^(\d{1,15})\.(raw|png)$/.exec(name) ?? []
    if (number === undefined) throw new NotFound(`frame ${name}; a frame is <index>.raw or <index>.png`)
    const row = await datasetRow(id)
    if (row.kind !== 'FRAMES') throw new NotSupported(`dataset ${row.name} is a table, it has no frames`)
    await using file = await openFrameFile(path.join(dataDir, row.folder, FRAMES_FILE))
    const frame = await file.frame(Number(number))
    const size = { width: file.layout.width, height: file.layout.height }
    if (form === 'raw') return sendRaw(request, response, `"${id}-${number}"`, size, frame)

    const levels = levelsOf(request)
    if (pngs >= MAX_PNGS) return refuse(response.setHeader('Retry-After', RETRY_AFTER_SECONDS), 503, 'too many pictures are being made')
    pngs += 1
    try {
      await sendPng(request, response, `"${id}-${number}-${levels.minimum ?? ''}-${levels.maximum ?? ''}"`, size, levels, frame)
    } finally {
      pngs -= 1
    }
  })

  router.use((_request: Request, response: Response) => refuse(response, 404, 'there is no such file'))
  router.use(tellProblem)
  return router

  async function manifestOf(of: string, id: string): Promise<ManifestSource | null> {
    const run = of === 'runs' ? await prisma.run.findUnique({ where: { id }, select: { id: true, manifest: true } }) : null
    if (run !== null) return manifestOfRun(run)
    const session = of === 'sessions' ? await prisma.session.findUnique({ where: { id } }) : null
    return session === null ? null : manifestOfSession(session)
  }

  async function datasetRow(id: string) {
    const row = isUuid(id) ? await prisma.dataset.findUnique({ where: { id } }) : null
    if (row === null) throw new NotFound(`dataset ${id}`)
    if (row.state === 'ARCHIVED') throw new Conflict(`dataset ${row.name} is archived; its files are not here`)
    return row
  }
}

function fileNamed(files: unknown, name: string): DatasetFile {
  const file = (files as readonly DatasetFile[]).find((candidate) => candidate.name === name)
  if (file === undefined) throw new NotFound(`file ${name}`)
  return file
}

type Size = { readonly width: number; readonly height: number }

/** Pixels row by row, little-endian, with what an image needs to be one in headers. */
function sendRaw(request: Request, response: Response, etag: string, size: Size, frame: RecordedFrame): void {
  if (sentNotModified(request, response, etag, 'application/octet-stream')) return
  describeFrame(response, frame, size)
  sendBytes(request, response, new Uint8Array(frame.pixels.buffer, frame.pixels.byteOffset, frame.pixels.byteLength))
}

type Levels = { readonly minimum?: number; readonly maximum?: number }

async function sendPng(request: Request, response: Response, etag: string, size: Size, levels: Levels, frame: RecordedFrame): Promise<void> {
  if (sentNotModified(request, response, etag, 'image/png')) return
  const { pixels } = frame
  const own = levels.minimum === undefined || levels.maximum === undefined ? frameStatistics(pixels) : undefined
  const png = await grayPng(pixels, size.width, size.height, levels.minimum ?? own?.minimum ?? 0, levels.maximum ?? own?.maximum ?? 0)
  describeFrame(response, frame, size)
  sendBytes(request, response, png)
}

function describeFrame(response: Response, { sequence, time }: RecordedFrame, { width, height }: Size): void {
  response.setHeader('X-Frame-Width', width).setHeader('X-Frame-Height', height).setHeader('X-Frame-Dtype', 'uint16')
  response.setHeader('X-Frame-Sequence', sequence).setHeader('X-Frame-Time', formatRfc3339(time))
}

function levelsOf({ query }: Request): Levels {
  const { colormap = 'gray' } = query
  if (colormap !== 'gray') throw new InvalidValue(`colormap: ${String(colormap)} is not known; use gray`, ['colormap'])
  const level = (name: string): number | undefined => {
    const given = query[name]
    if (given === undefined) return undefined
    const value = typeof given === 'string' && given !== '' ? Number(given) : Number.NaN
    if (!Number.isFinite(value)) throw new InvalidValue(`${name}: ${String(given)} is not a finite number`, [name])
    return value
  }
  const [minimum, maximum] = [level('minimum'), level('maximum')]
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) }
}

const STATUS: Partial<Record<ProblemCode, number>> = { NOT_FOUND: 404, CONFLICT: 409, INVALID_VALUE: 400, NOT_SUPPORTED: 400, FORBIDDEN: 403 }

function tellProblem(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  const status = error instanceof Problem ? STATUS[error.code] : error instanceof Error && error.name === 'Unauthenticated' ? 401 : undefined
  if (status === undefined || response.headersSent) return next(error)
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  refuse(response, status, messageOf(error))
}

/** RFC 9457. */
function refuse(response: Response, status: number, detail: string): void {
  for (const name of ['ETag', 'Cache-Control', 'Content-Disposition']) response.removeHeader(name)
  response.status(status).setHeader('Content-Type', 'application/problem+json').end(JSON.stringify({ status, detail }))
}

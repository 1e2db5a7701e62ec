import path from 'node:path'
import type { NextFunction, Request, Response } from 'express'
import { Router } from 'express'
import type { DatasetFile } from '../../core/dataset.ts'
import { MANIFEST_FILE } from '../../core/dataset.ts'
import type { ProblemCode } from '../../core/errors.ts'
import { Conflict, messageOf, NotFound, Problem } from '../../core/errors.ts'
import { isUuid } from '../../core/id.ts'
import type { Database } from '../../prisma/client.ts'
import { type ManifestSource, manifestOfRun, manifestOfSession } from '../manifest.ts'
import type { ReadTurns } from '../read-turns.ts'
import { createRecordingsRouter } from './recordings.ts'
import { forgetContent, sendBytes, sendFile } from './send-file.ts'

/**
 * Files of datasets and exports, and what recordings.ts takes out of them. Only names that stand in the rows are served, so nothing partial and nothing beside can be reached.
 * Mounted at /files; api/file-urls.ts makes the addresses.
 */
export type FilesOptions = {
  readonly database: Pick<Database, 'prisma'>
  readonly dataDir: string
  readonly turns: ReadTurns
  /** Throws when the request has no right to read (Forbidden; an error named Unauthenticated for a wrong key). */
  readonly authorize: (request: Request) => Promise<unknown>
  /** How long a client may take nothing; CLIENT_STALL_MS. */
  readonly stallMs?: number | undefined
}

const RETRY_AFTER_SECONDS = 1
const WHOLE_STATES: readonly string[] = ['COMPLETE', 'RECOVERED']

export function createFilesRouter({ database: { prisma }, dataDir, turns, authorize, stallMs }: FilesOptions): Router {
  const router = Router()

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
    await sendFile(request, response, { ...file, path: path.join(dataDir, row.folder, name) }, stallMs)
  })

  router.get('/manifests/:of/:name', async (request, response) => {
    const { of, name } = request.params
    const id = /^(.+)\.json$/.exec(name)?.[1]
    const manifest = id !== undefined && isUuid(id) ? await manifestOf(of, id) : null
    if (manifest === null) throw new NotFound(`manifest ${of}/${name}`)
    await sendBytes(request, response, { etag: `"${manifest.sha256}"`, mediaType: 'application/json' }, Buffer.from(manifest.text), stallMs)
  })

  router.get('/datasets/:id/:name', async (request, response) => {
    const { id, name } = request.params
    const row = await datasetRow(id)
    if (!WHOLE_STATES.includes(row.state)) throw new Conflict(`dataset ${row.name} is ${row.state.toLowerCase()}; its files can be had once it is complete`)
    const file = name === MANIFEST_FILE ? { name, mediaType: 'application/json', sha256: undefined } : fileNamed(row.files, name)
    await sendFile(request, response, { ...file, path: path.join(dataDir, row.folder, name) }, stallMs)
  })

  router.use('/datasets/:id', createRecordingsRouter({ dataDir, turns, dataset: datasetRow, stallMs }))

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

const STATUS: Partial<Record<ProblemCode, number>> = {
  NOT_FOUND: 404,
  CONFLICT: 409,
  INVALID_VALUE: 400,
  NOT_SUPPORTED: 400,
  FORBIDDEN: 403,
  LIMIT_EXCEEDED: 503,
  HARDWARE_FAULT: 500, // what is on the disk is not what was recorded
}

function tellProblem(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  const status = error instanceof Problem ? STATUS[error.code] : error instanceof Error && error.name === 'Unauthenticated' ? 401 : undefined
  if (status === undefined || response.headersSent) return next(error)
  if (status === 503) response.setHeader('Retry-After', RETRY_AFTER_SECONDS)
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  refuse(response, status, messageOf(error), error instanceof Problem ? error.code : undefined)
}

/** RFC 9457. */
function refuse(response: Response, status: number, detail: string, code?: ProblemCode): void {
  forgetContent(response)
  response.status(status).setHeader('Content-Type', 'application/problem+json').end(JSON.stringify({ status, detail, code }))
}

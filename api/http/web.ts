import { existsSync } from 'node:fs'
import { join } from 'node:path'
import express, { type Router } from 'express'

/** Vite names what is below assets/ by its content: it never changes. */
const YEAR_MS = 365 * 24 * 3600 * 1000

/** The built dashboard. Paths that are no file are views of it. */
export function createWebRouter(folder: string): Router {
  const router = express.Router()
  const page = join(folder, 'index.html')
  router.use('/assets', express.static(join(folder, 'assets'), { immutable: true, maxAge: YEAR_MS, index: false, fallthrough: false }))
  router.use(express.static(folder, { maxAge: 0, index: 'index.html' }))
  router.get('/{*view}', (request, response, next) => {
    if (!request.accepts('html')) return next()
    if (!existsSync(page)) return void response.status(404).type('text').send('the dashboard is not built; npm start builds it. The API is at /graphql\n')
    response.sendFile(page, { maxAge: 0 })
  })
  return router
}

import { Router } from 'express'
import { DeadlineExceeded } from '../../core/errors.ts'
import type { FrameTaps } from '../frames/taps.ts'
import { thumbnail } from '../frames/thumbnail.ts'
import type { FrameTickets } from '../frames/ticket.ts'
import type { Stations } from '../stations/stations.ts'
import { sendBytes } from './send-file.ts'

const RETRY_AFTER_SECONDS = 1

/** The newest frame of a camera as a small PNG, for whoever has a ticket for it: a page shows it where it cannot send a header. */
export function createThumbnailRouter({
  tickets,
  taps,
  stations,
}: {
  readonly tickets: FrameTickets
  readonly taps: FrameTaps
  readonly stations: Stations
}): Router {
  const router = Router()
  router.get('/', async (request, response) => {
    const asked = tickets.checkThumbnail(new URLSearchParams(request.url.split('?')[1]).get('ticket'))
    if (asked === undefined) return void response.status(401).type('text').send('the ticket is not good, or too old: ask for another notice of the camera\n')
    const camera = stations
      .all()
      .map(({ devices }) => devices.get(asked.deviceId)?.camera)
      .find((state) => state !== undefined)
    if (camera === undefined) return void response.status(404).type('text').send('there is no such camera now\n')
    try {
      const { header, png } = await thumbnail(asked, camera, taps)
      const etag = `"${header.time}-${header.sequence}-${png.byteLength}"`
      await sendBytes(request, response, { etag, mediaType: 'image/png', changes: true }, png)
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error
      response.status(503).setHeader('Retry-After', RETRY_AFTER_SECONDS).type('text').send(`${error.message}\n`)
    }
  })
  return router
}

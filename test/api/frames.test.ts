import { crc32, inflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { globalId } from '../../api/global-id.ts'
import { HardwareFault, InvalidValue, NotFound } from '../../core/errors.ts'
import { until } from '../until.ts'
import { CAMERA } from './fake-station.ts'
import { startTestLab, type TestLab } from './lab.ts'
import { listenTo } from './listen.ts'

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())

const NOTICES = `subscription ($id: ID!, $quality: FrameQuality) { frames(deviceId: $id, quality: $quality, maxRateHz: 50) {
  sequence time width height dtype exposureSeconds dropped skipped minimum maximum mean thumbnailUrl(maxSide: 4) } }`
type Notice = { readonly sequence: number; readonly width: number; readonly thumbnailUrl: string }

type Ticket = { readonly url: string; readonly protocol: string; readonly expiresAt: string }
async function ticket(wanted: string): Promise<{ readonly ticket: Ticket | undefined; readonly errors: unknown }> {
  const { data, errors } = await lab.ask<{ device: { camera: { ticket: Ticket } | null } | null } | null>(
    `{ device(name: "camera") { camera { ticket${wanted} { url protocol expiresAt } } } }`,
  )
  return { ticket: data?.device?.camera?.ticket, errors }
}

async function watch(wanted: string): Promise<{ readonly socket: WebSocket; readonly frames: Buffer[] }> {
  const { url, protocol } = (await ticket(wanted)).ticket ?? { url: '', protocol: '' }
  const socket = new WebSocket(new URL(url, lab.api.url.replace('http', 'ws')), protocol)
  const frames: Buffer[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) frames.push(data)
  })
  return { socket, frames }
}

describe('frames', () => {
  it('are announced, the one that is there first, without their pixels leaving the station', async () => {
    const notices = listenTo<Notice>(lab, NOTICES, { id: globalId('Device', CAMERA) })
    await until(() => notices.items.length > 2)
    expect(notices.items[0]).toMatchObject({ sequence: 1, width: 4, height: 4, dtype: 'uint16', mean: 7.5, minimum: 1, maximum: 500, exposureSeconds: 0.01 })
    expect(lab.station.frameRequests.every(({ view }) => view.headerOnly)).toBe(true)
    const late = listenTo<Notice>(lab, NOTICES, { id: globalId('Device', CAMERA) })
    await until(() => late.items.length > 0)
    expect(late.items[0]?.sequence).toBeGreaterThan(1)
    expect(lab.station.frameRequests).toHaveLength(1)
    notices.stop()
    late.stop()
  })

  it('are announced over every absence of the station and of the camera, until there is no such camera any more', async () => {
    const notices = listenTo<Notice>(lab, NOTICES, { id: globalId('Device', CAMERA), quality: 'FULL' })
    const goesOn = async (): Promise<void> => {
      const before = notices.items.length
      await until(() => notices.items.length > before + 1)
    }
    await goesOn()
    await lab.station.stop()
    await until(() => lab.api.services.stations.find(lab.station.stationId)?.online === false)
    await lab.station.start()
    await goesOn()
    for (const passing of [new HardwareFault('the camera was just closed', 'NONE'), new InvalidValue('roi: nothing of it can be shown', ['roi'])]) {
      const asked = lab.station.frameRequests.length
      lab.station.noFrames = passing
      await until(() => lab.station.frameRequests.length > asked)
      lab.station.noFrames = undefined
      await goesOn()
    }
    lab.station.noFrames = new NotFound('device camera')
    await until(() => notices.ended())
    expect(notices.errors).toMatchObject([{ message: 'there is no device camera' }])
    lab.station.noFrames = new InvalidValue('roi: nothing of it can be shown', ['roi'])
    const impossible = listenTo<Notice>(lab, NOTICES, { id: globalId('Device', CAMERA), quality: 'FULL' })
    await until(() => impossible.ended())
    expect(impossible.errors).toMatchObject([{ message: 'roi: nothing of it can be shown' }])
    lab.station.noFrames = undefined
  })

  it('come over the binary WebSocket that the ticket names', async () => {
    const { socket, frames } = await watch('(quality: FAST)')
    await until(() => frames.length > 1)
    const [message] = frames
    expect([message?.readUInt32LE(0), message?.readUInt16LE(4), message?.readUInt16LE(6)]).toEqual([0x4b594d46, 2, 104])
    expect([message?.readUInt32LE(40), message?.readUInt32LE(44), message?.readUInt16LE(72)]).toEqual([2, 2, 4])
    expect(message).toHaveLength(104 + 8)
    socket.close()
  })

  it('are asked of the station once, however many look at the same', async () => {
    lab.station.frameRequests.length = 0
    const viewers = await Promise.all(Array.from({ length: 5 }, () => watch('(quality: FULL, maxRateHz: 7, compression: LZ4)')))
    await until(() => viewers.every(({ frames }) => frames.length > 2))
    expect(lab.station.frameRequests).toEqual([{ deviceId: CAMERA, maxRateHz: 7, view: { quality: 'FULL', compression: 'LZ4' } }])
    for (const { socket } of viewers) socket.close()
  })

  it.each([
    ['(roi: { x: 4, y: 0, width: 5, height: 1 })', 'roi.width: 5 is outside 1 … 4'],
    ['(roi: { x: 0, y: -1, width: 5, height: 1 })', 'roi.y: -1 is outside 0 … 7'],
    ['(maxRateHz: 61)', 'maxRateHz: 61 Hz is outside 0.001 … 60 Hz'],
  ])('of %s are refused', async (wanted, message) => {
    expect((await ticket(wanted)).errors).toMatchObject([{ message, extensions: { code: 'LIMIT_VIOLATION' } }])
  })

  it('are refused to whoever has no ticket', async () => {
    const socket = new WebSocket(new URL('/frames?ticket=made.up', lab.api.url.replace('http', 'ws')))
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve))
    expect(error.message).toContain('401')
  })
})

describe('a thumbnail', () => {
  it('is a PNG of the newest frame, with a tag, for whoever has its address', async () => {
    const notices = listenTo<Notice>(lab, NOTICES, { id: globalId('Device', CAMERA), quality: 'FAST' })
    await until(() => notices.items.length > 0)
    notices.stop()
    const url = new URL(notices.items[0]?.thumbnailUrl ?? '', lab.api.url)
    const response = await fetch(url)
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([200, 'image/png', 'private, no-cache'])
    const png = Buffer.from(await response.arrayBuffer())
    expect([png.toString('latin1', 1, 4), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(['PNG', 4, 4])
    const data = png.indexOf('IDAT')
    const length = png.readUInt32BE(data - 4)
    expect(png.readUInt32BE(data + 4 + length)).toBe(crc32(png.subarray(data, data + 4 + length)))
    expect(inflateSync(png.subarray(data + 4, data + 4 + length))).toHaveLength(4 * 5)
    expect(response.headers.get('etag')).toMatch(/^"\d+-\d+-\d+"$/)
    expect((await fetch(`${url}x`)).status).toBe(401)
    expect((await fetch(new URL(url.pathname, lab.api.url))).status).toBe(401)
  })

  it('has a side, and it is checked', async () => {
    const refused = listenTo(lab, NOTICES.replace('maxSide: 4', 'maxSide: 2000'), { id: globalId('Device', CAMERA) })
    await until(() => refused.errors.length > 0)
    expect(refused.errors[0]).toMatchObject({ message: 'maxSide: 2000 is outside 1 … 1024' })
    refused.stop()
  })
})

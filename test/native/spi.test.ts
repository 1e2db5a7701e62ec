import { describe, expect, test } from 'vitest'
import { fakeKernel, whyNoFakeKernel } from './kernel.ts'

const why = await whyNoFakeKernel()

describe.skipIf(why !== undefined)(`spidev, in the kernel's own structures${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  test('frames go out and come back, in each mode, and the device is opened and closed once', async () => {
    await using kernel = await fakeKernel()
    const { printed, told } = await kernel.run('kernel-spi.ts', { KERNEL_SHIM_AZIMUTH: '40' })
    const position = Math.trunc((-40 / 360) * (2303 / 50) * 1024 + 1024 * 1024) & 1023
    const [high, low] = (printed as { first: number[] }).first
    expect((((high ?? 0) << 8) | (low ?? 0)) >> 6).toBe(position)
    const word = ((high ?? 0) << 8) | (low ?? 0)
    expect(printed).toMatchObject({
      row: 200,
      same: true,
      late: [word >> 9, (word >> 1) & 0xff],
      wrong: expect.stringContaining('1 to 4096'),
      long: expect.stringContaining('Invalid argument'),
      closed: 'this SPI device is closed',
      missing: expect.stringContaining('/dev/spidev8.8: No such file'),
      noSpi: expect.stringContaining('SPI mode of /dev/null'),
    })
    expect(told).toEqual([
      'open /dev/spidev9.9',
      'mode 1',
      'bits 8',
      'speed 500000',
      'close spi',
      'open /dev/spidev9.9',
      'mode 0',
      'bits 8',
      'speed 1000000',
      'close spi',
    ])
  })
})

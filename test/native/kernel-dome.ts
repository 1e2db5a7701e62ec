import { Problem } from '../../core/errors.ts'
import { domeRotator } from '../../drivers/dome-rotator/driver.ts'
import { never } from '../drivers/bench.ts'
import { until } from '../until.ts'

/** Turns a dome over its recalibration switch by step and direction, with the encoder on spidev; prints what it says. */
const settings = {
  address: 'gpio:///dev/gpiochip9',
  encoder: 'spi:///dev/spidev9.9',
  recalibrationSwitch: 'gpio:///dev/gpiochip9',
  startAzimuth: 44.7,
  tolerance: 0.1,
}
const context = {
  clock: { wallNs: () => BigInt(Date.now()) * 1_000_000n, monotonicNs: () => process.hrtime.bigint() },
  resolve: async (address: string) => ({
    kind: address.startsWith('spi') ? ('spi' as const) : ('gpio' as const),
    path: address.slice(address.indexOf('/dev')),
    simulated: false,
  }),
  log: () => undefined,
  workFolder: process.argv[2] ?? '',
}
const port = await domeRotator.openPort(settings, context, never)
const device = await domeRotator.openDevice(port, settings, context, never)
const named = async (name: string): Promise<unknown> => (await device.read([name], never)).get(name)
try {
  const before = await named('position')
  await device.motion?.moveTo(45.3, never)
  const busy = await port.start({ steps: 1, direction: 1, delayUs: 260, ramp: 'NONE' }, never).catch((error: unknown) => error instanceof Problem && error.code)
  await until(async () => !(await device.motion?.isMoving(never)), { deadlineMs: 60_000 })
  process.stdout.write(
    JSON.stringify({
      identity: device.identity,
      before,
      busy,
      after: await named('position'),
      calibrated: await named('calibrated'),
      steps: await named('motor_steps'),
      failed: await named('encoder_frames_parity'),
    }),
  )
} catch (error) {
  process.stdout.write(JSON.stringify({ error: error instanceof Problem ? error.toRecord() : String(error) }))
}
await device[Symbol.asyncDispose]()
await port[Symbol.asyncDispose]()

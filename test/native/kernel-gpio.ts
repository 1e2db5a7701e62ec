import { messageOf } from '../../core/errors.ts'
import { rampOf } from '../../drivers/dome-rotator/ramp.ts'
import { openGpioInput, openStepper } from '../../native/devices.ts'

/** Reads a switch, makes steps, stops them, and what is refused; prints it. */
async function refusal(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'nothing'
  } catch (error) {
    return messageOf(error)
  }
}

const path = '/dev/gpiochip9'
const input = openGpioInput({ path, line: 27, bias: 'pull-up' })
const [chip, level] = [input.chip, input.level()]
input.close()
const closed = await refusal(() => input.level())

const stepper = openStepper({ path, stepLine: 18, directionLine: 17 })
const steps = 1200
const moved = stepper.move({ steps, directionHigh: true, ...rampOf(steps, 260, 'SCURVE') })
const busy = await refusal(() => stepper.move({ steps: 1, directionHigh: true, ...rampOf(1, 260, 'NONE') }))
const made = await moved
const long = stepper.move({ steps: 1_000_000, directionHigh: false, ...rampOf(1_000_000, 260, 'SCURVE') })
while (stepper.remaining > 999_900) await new Promise((resolve) => setImmediate(resolve))
const stoppedMs = performance.now()
stepper.stop()
const stopped = await long
const stopTookMs = performance.now() - stoppedMs
const tooFast = await refusal(() => stepper.move({ steps: 10, directionHigh: false, ...rampOf(10, 10, 'NONE') }))
stepper.close()
const afterClose = await refusal(() => stepper.move({ steps: 1, directionHigh: true, ...rampOf(1, 260, 'NONE') }))

const dead = openStepper({ path, stepLine: 6, directionLine: 7 })
const failed = await dead.move({ steps: 5, directionHigh: true, ...rampOf(5, 260, 'NONE') })
dead.close()
const taken = await refusal(() => openGpioInput({ path, line: 5, bias: 'none' }))
const none = await refusal(() => openGpioInput({ path, line: 99, bias: 'none' }))
const noChip = await refusal(() => openGpioInput({ path: '/dev/null', line: 1, bias: 'none' }))
process.stdout.write(JSON.stringify({ chip, level, closed, made, busy, stopped, stopTookMs, tooFast, afterClose, failed, taken, none, noChip }))

import { Conflict, DeviceBusy, DeviceOffline, HardwareFault, messageOf, NotSupported } from '../../core/errors.ts'
import { openStepper } from '../../native/devices.ts'
import { isPinSocket } from '../simulation/pin-socket.ts'
import type { DomeMotor, MoveEnd, RunningMove } from './motor.ts'
import type { ControllerStatus, Move } from './protocol.ts'
import { rampOf } from './ramp.ts'

export type GpioMotorOptions = {
  readonly path: string
  readonly address: string
  readonly stepLine: number
  readonly directionLine: number
  readonly warmUpSteps: number
}

const WARM_UP_US = 10_000

/** A step-and-direction driver (DM556T and its like) on two lines of a Linux GPIO chip: pulses from a native thread, with DriftApp's ramp. */
export class GpioMotor implements DomeMotor {
  readonly address: string
  readonly identity: string
  readonly lost: AbortSignal
  readonly #options: GpioMotorOptions
  readonly #stepper: ReturnType<typeof openStepper>
  readonly #log: (message: string) => void
  readonly #closed = new AbortController()
  #moving = false

  private constructor(options: GpioMotorOptions, stepper: ReturnType<typeof openStepper>, log: (message: string) => void) {
    this.address = options.address
    this.identity = `step and direction on lines ${options.stepLine} and ${options.directionLine} of ${stepper.chip}`
    this.lost = this.#closed.signal
    this.#options = options
    this.#stepper = stepper
    this.#log = log
  }

  static async open(options: GpioMotorOptions, log: (message: string) => void): Promise<GpioMotor> {
    try {
      if (await isPinSocket(options.path)) throw new NotSupported(`${options.path} is a socket; step and direction need a GPIO chip of the kernel`)
      return new GpioMotor(options, openStepper(options), log)
    } catch (error) {
      throw new DeviceOffline(`${options.path}: ${messageOf(error)}`, {})
    }
  }

  async start({ steps, direction, delayUs, ramp }: Move, signal: AbortSignal): Promise<RunningMove> {
    if (this.lost.aborted) throw this.lost.reason
    if (this.#moving) throw new DeviceBusy('the dome is turning already', {})
    if (signal.aborted) throw new Conflict('the move was given up before its first step')
    const { warmUpSteps } = this.#options
    const plan = rampOf(steps, delayUs, ramp, { steps: warmUpSteps, delayUs: WARM_UP_US })
    const made = this.#stepper.move({ steps, directionHigh: direction === 1, ...plan })
    this.#moving = true
    return { ended: this.#ended(made) }
  }

  async status(): Promise<ControllerStatus> {
    if (this.lost.aborted) throw this.lost.reason
    return this.#moving ? { moving: true, remaining: this.#stepper.remaining } : { moving: false }
  }

  async stop(): Promise<void> {
    this.#stepper.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.lost.aborted) this.#closed.abort(new DeviceOffline(`${this.#options.path}: closed`, {}))
    this.#stepper.close()
  }

  async #ended(made: ReturnType<ReturnType<typeof openStepper>['move']>): Promise<MoveEnd> {
    const { steps, stopped, late, realTime, failure } = await made.finally(() => {
      this.#moving = false
    })
    if (late > 0) this.#log(`${late} of ${steps} steps came late${realTime ? '' : '; without real-time priority (CAP_SYS_NICE) other programs delay them'}`)
    if (failure !== undefined) throw new HardwareFault(`the move ended after ${steps} steps: ${failure}`, 'DONE', { instrumentCode: 'GPIO' })
    return { steps, stopped }
  }
}

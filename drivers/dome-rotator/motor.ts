import type { DriverPort } from '../driver.ts'
import type { ControllerStatus, Move } from './protocol.ts'

/** What turns the dome, whichever way it is wired. One move at a time. */
export interface DomeMotor extends DriverPort {
  readonly address: string
  readonly identity: string
  /** Starts a move and returns when it is known to have been accepted. A stop that comes first makes it void (Conflict). */
  start(move: Move, signal: AbortSignal): Promise<RunningMove>
  status(signal: AbortSignal): Promise<ControllerStatus>
  /** Puts the stop on the wire now, past everything that waits. */
  stop(): Promise<void>
}

export type MoveEnd = { readonly steps: number; readonly stopped: boolean }

export type RunningMove = {
  /** Steps made, by the controller's own word; rejects when nobody knows. */
  readonly ended: Promise<MoveEnd>
}

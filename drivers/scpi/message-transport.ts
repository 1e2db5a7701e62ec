/**
 * Whole messages both ways: the swap point of an instrument that speaks in messages. A raw TCP socket and a serial line cut bytes at a terminator; USBTMC and
 * HiSLIP know their messages' ends.
 */
export interface MessageTransport extends AsyncDisposable {
  /** Aborted, with a DeviceOffline that says why, when the connection is lost or closed. */
  readonly lost: AbortSignal
  /** Whether an answer is tied to its question by the transport itself: then a late one never comes as another's. */
  readonly matched: boolean
  /** One message, without its terminator. Resolves when it is on its way; calls keep their order. */
  send(message: string): Promise<void>
  /**
   * The next answer, without its terminator, as Latin-1; undefined when none came until `deadlineMs` (by performance.now()) or the signal. One caller at a
   * time.
   */
  receive(deadlineMs: number, signal: AbortSignal): Promise<string | undefined>
  /** Throws away what has come and nobody has received. */
  forget(): void
  /** The device clear of IEEE 488: after it, nothing comes that was asked before. Absent where the transport has none (raw TCP, serial). */
  readonly clear?: (signal: AbortSignal) => Promise<void>
  /** Gives the connection up. */
  lose(why: string): void
}

export const MAX_MESSAGE_BYTES = 1024 * 1024 // a list of 1000 numbers has 20 kB; a screen dump is not a reading

import type { Request } from './pdu.ts'

/** Sixteen-bit registers and single bits: the second swap point. Modbus TCP (modbus/tcp.ts) and RTU (modbus/rtu.ts). */
export interface RegisterBus extends AsyncDisposable {
  /**
   * One request to one unit and the words or bits of its reply. One call is outstanding at a time; the caller sees to it. `onSent`: once the operating
   * system has the bytes. Throws HardwareFault for an exception (the device's own word that it did nothing: effect NONE, its code in `instrumentCode`),
   * DeadlineExceeded for silence.
   */
  ask(unit: number, request: Request, timeoutMs: number, signal: AbortSignal, onSent?: () => void): Promise<readonly number[]>
  /** Aborted, with a DeviceOffline that says why, when the connection is lost or closed. */
  readonly lost: AbortSignal
}

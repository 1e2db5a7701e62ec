import { DeviceOffline } from '../../core/errors.ts'
import type { ByteInstrument } from '../../drivers/simulation/simulator.ts'
import type { ByteTransport } from '../../drivers/transport/byte-transport.ts'

/** What was written, and when by performance.now(). */
export type Written = { readonly text: string; readonly atMs: number }

/** A line without a wire before a simulated instrument that answers at once: for when the moment of each write is the point. */
export function memoryLine(instrument: ByteInstrument): { readonly transport: ByteTransport; readonly written: readonly Written[] } {
  const lost = new AbortController()
  const written: Written[] = []
  let listener: (bytes: Uint8Array) => void = () => undefined
  return {
    written,
    transport: {
      lost: lost.signal,
      onBytes: (to) => {
        listener = to
      },
      write: async (bytes) => {
        written.push({ text: Buffer.from(bytes).toString('latin1'), atMs: performance.now() })
        const reply = instrument.receive(bytes, performance.now() / 1000)
        if (reply.length > 0) queueMicrotask(() => listener(reply))
      },
      [Symbol.asyncDispose]: async () => lost.abort(new DeviceOffline('closed', {})),
    },
  }
}

/** What was written less than `gapMs` after something that is not answered: those that have no question mark. */
export function tooEarly(written: readonly Written[], gapMs: number): readonly string[] {
  return written.filter(({ atMs }, at) => unanswered(written[at - 1]) && atMs - (written[at - 1]?.atMs ?? 0) < gapMs).map(({ text }) => text)
}

function unanswered(one: Written | undefined): boolean {
  return one !== undefined && !one.text.includes('?')
}

import { runChild } from '../../link/child.ts'

/** A process as the supervisor starts it: says when it stops in order. */
await runChild(
  async () => ({ [Symbol.asyncDispose]: async () => void process.stdout.write('stopped in order\n') }),
  () => undefined,
)

import type { Socket } from 'node:net'
import type { Parameters, Row, Statement } from '../store.ts'

/** What the embedded store's process and its clients say to each other: [u32 big-endian length][JSON]. Rows hold scalars only, so JSON keeps them. */
export type GraphRequest = { readonly id: number } & (
  | { readonly read: { readonly text: string; readonly parameters: Parameters } }
  | { readonly write: readonly Statement[] }
)
export type GraphAnswer = { readonly id: number } & ({ readonly rows: readonly Row[] } | { readonly written: boolean } | { readonly problem: string })

const LENGTH_BYTES = 4
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024 // the dump of a graph of a hundred thousand parameters; a longer one is a mistake

export function send(socket: Socket, message: GraphRequest | GraphAnswer): void {
  const text = Buffer.from(JSON.stringify(message))
  if (text.length > MAX_MESSAGE_BYTES) throw new Error(`a message of ${text.length} bytes; at most ${MAX_MESSAGE_BYTES} are allowed`)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(text.length)
  socket.cork()
  socket.write(length)
  socket.write(text)
  socket.uncork()
}

/** Calls `onMessage` for every whole message; a length that is not allowed ends the connection. */
export function receive<Message>(socket: Socket, onMessage: (message: Message) => void): void {
  let held: Buffer[] = []
  let heldBytes = 0
  let neededBytes = LENGTH_BYTES
  socket.on('data', (chunk: Buffer) => {
    held.push(chunk)
    heldBytes += chunk.length
    if (heldBytes < neededBytes) return
    let bytes = Buffer.concat(held, heldBytes)
    for (neededBytes = LENGTH_BYTES; bytes.length >= LENGTH_BYTES; neededBytes = LENGTH_BYTES) {
      const length = bytes.readUInt32BE()
      if (length > MAX_MESSAGE_BYTES) return void socket.destroy(new Error(`a message of ${length} bytes`))
      neededBytes = LENGTH_BYTES + length
      if (bytes.length < neededBytes) break
      onMessage(JSON.parse(bytes.toString('utf8', LENGTH_BYTES, neededBytes)) as Message)
      bytes = bytes.subarray(neededBytes)
    }
    held = bytes.length === 0 ? [] : [bytes]
    heldBytes = bytes.length
  })
}

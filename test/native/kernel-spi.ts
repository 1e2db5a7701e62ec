import { messageOf } from '../../core/errors.ts'
import { openSpi } from '../../native/devices.ts'

/** Reads an encoder frame in each mode, a row of them, and what is refused; prints it. */
async function refusal(act: () => unknown): Promise<string> {
  try {
    await act()
    return 'nothing'
  } catch (error) {
    return messageOf(error)
  }
}

const frame = new Uint8Array(2)
const standard = openSpi({ path: '/dev/spidev9.9', mode: 1, speedHz: 500_000 })
const first = [...(await standard.transfer(frame))]
const row = await Promise.all(Array.from({ length: 200 }, () => standard.transfer(frame)))
const wrong = await refusal(() => standard.transfer(new Uint8Array(0)))
const long = await refusal(() => standard.transfer(new Uint8Array(3)))
standard.close()
standard.close()
const closed = await refusal(() => standard.transfer(frame))
const legacy = openSpi({ path: '/dev/spidev9.9', mode: 0, speedHz: 1_000_000 })
const late = [...(await legacy.transfer(frame))]
legacy.close()
const missing = await refusal(() => openSpi({ path: '/dev/spidev8.8', mode: 1, speedHz: 1 }))
const noSpi = await refusal(() => openSpi({ path: '/dev/null', mode: 1, speedHz: 1 }))
process.stdout.write(JSON.stringify({ first, row: row.length, same: row.every((bytes) => bytes[0] === first[0]), wrong, long, closed, late, missing, noSpi }))

/** CRC-16 of a Modbus RTU frame: polynomial 0xA001 (reflected), from 0xFFFF; sent low byte first. "MODBUS over Serial Line V1.02", 6.2.2. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}

/** The frame on the wire: address, function and data, CRC low byte first. */
export function framed(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + 3)
  frame[0] = unit
  frame.set(pdu, 1)
  const crc = crc16(frame.subarray(0, pdu.length + 1))
  frame[pdu.length + 1] = crc & 0xff
  frame[pdu.length + 2] = crc >> 8
  return frame
}

/** Whether the last two bytes are the CRC of those before. */
export function isWhole(frame: Uint8Array): boolean {
  const end = frame.length - 2
  if (end < 2) return false
  return crc16(frame.subarray(0, end)) === ((frame[end] ?? 0) | ((frame[end + 1] ?? 0) << 8))
}

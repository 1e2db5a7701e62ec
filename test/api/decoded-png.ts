import { inflateSync } from 'node:zlib'

/** A PNG with one IDAT and no filters. */
export function decoded(png: Buffer) {
  const [width, height, bitDepth, colorType] = [png.readUInt32BE(16), png.readUInt32BE(20), png[24] ?? 0, png[25]]
  const chunk = (type: string): Buffer | undefined => {
    const at = png.indexOf(type)
    return at < 0 ? undefined : png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4))
  }
  const lines = inflateSync(chunk('IDAT') ?? Buffer.alloc(0))
  const bytes = 1 + (width * bitDepth) / 8
  return { width, height, bitDepth, colorType, palette: chunk('PLTE'), line: (y: number) => [...lines.subarray(y * bytes + 1, (y + 1) * bytes)] }
}

import { tableFromIPC } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import { openFrameFile } from '../../storage/frame-file.ts'
import { npyBytes, readArrow, readNpy, type SliceRequest, sliceOf } from '../../storage/frame-slice.ts'
import { npyHeader } from '../../storage/npy.ts'
import { temporaryFolder } from './folder.ts'
import { writeFrames } from './recorded-frames.ts'

const [WIDTH, HEIGHT, FRAMES] = [40, 30, 50]
const pixelOf = (frame: number, pixel: number) => (frame * 11 + pixel * 3) & 0xffff

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece.slice())
  return Buffer.concat(all)
}

async function recording() {
  const folder = await temporaryFolder()
  await writeFrames(folder.file('a'), WIDTH, HEIGHT, FRAMES, pixelOf)
  const file = await openFrameFile(folder.file('a'))
  return {
    file,
    folder,
    async [Symbol.asyncDispose]() {
      await file[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** As the slice must be: frame after frame, row after row. */
function expected({ from = 0, to = FRAMES, step = 1, roi = { x: 0, y: 0, width: WIDTH, height: HEIGHT }, bin = 1 }: SliceRequest): number[] {
  const pixels: number[] = []
  for (let frame = from; frame < to; frame += step)
    for (let y = 0; y + bin <= roi.height; y += bin)
      for (let x = 0; x + bin <= roi.width; x += bin) {
        let sum = 0
        for (let dy = 0; dy < bin; dy += 1) for (let dx = 0; dx < bin; dx += 1) sum += pixelOf(frame, (roi.y + y + dy) * WIDTH + roi.x + x + dx)
        pixels.push(Math.round(sum / bin ** 2))
      }
  return pixels
}

describe('a slice as .npy', () => {
  test.each<[string, SliceRequest, number[]]>([
    ['everything', {}, [50, 30, 40]],
    ['some frames', { from: 3, to: 17, step: 4 }, [4, 30, 40]],
    ['a region', { from: 40, roi: { x: 7, y: 5, width: 13, height: 4 } }, [10, 4, 13]],
    ['a region, binned, with a rest', { step: 7, roi: { x: 1, y: 2, width: 11, height: 8 }, bin: 3 }, [8, 2, 3]],
    ['binned', { from: 48, bin: 2 }, [2, 15, 20]],
    ['no frame', { from: 50 }, [0, 30, 40]],
  ])('is %s, as long as it says', async (_what, request, shape) => {
    await using made = await recording()
    const slice = await sliceOf(made.file, request)
    expect(slice.shape).toEqual(shape)
    const length = npyBytes(slice)
    const bytes = await bytesOf(readNpy(made.file, slice, 0, length - 1))
    expect(bytes.byteLength).toBe(length)
    const header = npyHeader(shape)
    expect(bytes.subarray(0, header.byteLength)).toEqual(Buffer.from(header))
    expect([...new Uint16Array(bytes.buffer.slice(bytes.byteOffset + header.byteLength, bytes.byteOffset + length))]).toEqual(expected(request))
  })

  test('can be taken up anywhere', async () => {
    await using made = await recording()
    const slice = await sliceOf(made.file, { from: 2, step: 3, roi: { x: 7, y: 5, width: 13, height: 4 } })
    const length = npyBytes(slice)
    const whole = await bytesOf(readNpy(made.file, slice, 0, length - 1))
    const frameBytes = 13 * 4 * 2
    for (const [first, last] of [
      [0, 0],
      [5, 700],
      [127, 128],
      [128, 128 + frameBytes - 1],
      [129, 128 + frameBytes],
      [128 + 3 * frameBytes + 1, length - 1],
      [length - 1, length - 1],
    ] as const)
      expect(await bytesOf(readNpy(made.file, slice, first, last))).toEqual(whole.subarray(first, last + 1))
  })

  test('ends where its reader stops', async () => {
    await using made = await recording()
    const slice = await sliceOf(made.file, {})
    const ended = AbortSignal.abort(new Error('enough'))
    await expect(bytesOf(readNpy(made.file, slice, 0, npyBytes(slice) - 1, ended))).rejects.toThrow('enough')
  })
})

test('a slice as an Arrow stream has the columns and the pixels', async () => {
  await using made = await recording()
  const request = { from: 1, step: 2, roi: { x: 7, y: 5, width: 13, height: 4 } }
  const table = tableFromIPC(await bytesOf(readArrow(made.file, await sliceOf(made.file, request))))
  expect(table.numRows).toBe(25)
  expect([...table].map((row) => Number(row.sequence))).toEqual(Array.from({ length: 25 }, (_, at) => 1 + 2 * at))
  expect(table.schema.fields.at(-1)?.metadata.get('ARROW:extension:metadata')).toBe('{"shape":[4,13],"dim_names":["y","x"]}')
  expect([...table].flatMap((row) => [...row.frame.toArray()])).toEqual(expected(request))
})

test('what is not there is refused in words that say what is allowed', async () => {
  await using made = await recording()
  for (const [request, words] of [
    [{ roi: { x: 30, y: 0, width: 11, height: 1 } }, /inside a frame of 40 x 30/],
    [{ roi: { x: 0, y: 0, width: 0, height: 1 } }, /inside a frame of 40 x 30/],
    [{ from: -1 }, /from: -1 .*there are 50 frames/],
    [{ from: 5, to: 4 }, /to: 4 .*from 5/],
    [{ step: 0 }, /step: 0/],
    [{ bin: 31 }, /bin: 31 .*from 1 to 30 for 40 x 30/],
    [{ bin: 1.5 }, /bin: 1.5/],
  ] as const)
    await expect(sliceOf(made.file, request)).rejects.toThrow(words)
})

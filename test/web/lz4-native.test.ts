import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { loadPvcam, pvcamSimulatorPath } from '../../native/devices.ts'
import { unpackLz4 } from '../../web/src/model/lz4-block.ts'
import { until } from '../until.ts'

test('what the station packs is what the page unpacks', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-lz4-'))
  try {
    await using pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: { PVCAM_VERSION: '7.1.1.118' } })
    await using camera = await pvcam.open((await pvcam.cameras())[0] ?? '')
    const roi = { x: 0, y: 0, width: 512, height: 512 }
    await using _ring = await camera.start({ roi, binning: 1, exposureSeconds: 0.001, ringPath: path.join(folder, 'a.ring'), ringSlots: 4, frames: 1 })
    await until(() => !camera.streaming)
    for (const bin of [1, 2, 4] as const) {
      const [raw, packed] = [await camera.tap({ bin }), await camera.tap({ bin, compress: true })]
      if (raw === undefined || packed === undefined) throw new Error('there is no frame')
      expect(packed.encoding).toBe('LZ4')
      expect(packed.data.byteLength).toBeLessThan(raw.data.byteLength)
      const out = new Uint8Array(raw.data.byteLength)
      unpackLz4(packed.data, out)
      expect(Buffer.from(out).equals(Buffer.from(raw.data))).toBe(true)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

import { execFile } from 'node:child_process'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Python, pythonWith } from '../python.ts'
import { startTestLab, type TestLab } from './lab.ts'
import { recordedDataset } from './recorded-dataset.ts'

const [WIDTH, HEIGHT, FRAMES] = [40, 30, 1000]
const PAGE = join(import.meta.dirname, '../../docs/reading-frames.md')

/** What the variables of the page hold then. */
const REPORT = `
def region(index):
    frame = index + 3 * np.arange(${WIDTH * HEIGHT}).reshape(${HEIGHT}, ${WIDTH})
    return frame[4:20, 8:32]

wanted = np.array([region(index) for index in range(100, 200, 2)])
print(json.dumps({
    'rows': dataset['rows'],
    'frame': [list(frame.shape), str(frame.dtype), bool((frame == 17 + 3 * np.arange(${WIDTH * HEIGHT}).reshape(${HEIGHT}, ${WIDTH})).all())],
    'block': [block['shape'], list(images.shape), bool((images == wanted).all()), bool((mapped == wanted).all()), bool((same_images == wanted).all())],
    'times': [len(times), str(times.dtype)],
    'curve': [len(curve['x']), len(curve['values']), curve['reducedFrom']],
    'mean': bool(np.allclose(mean, [region(index).mean() for index in range(${FRAMES})])),
    'columns': numbers.column_names,
    'exposures': exposures,
}))
`

describe('docs/reading-frames.md', () => {
  let lab: TestLab
  let python: Python
  beforeAll(async () => {
    lab = await startTestLab()
    python = await pythonWith(['pyarrow', 'numpy'])
    await recordedDataset(lab, { state: 'COMPLETE', frames: FRAMES, width: WIDTH, height: HEIGHT, pixelOf: (frame, pixel) => frame + pixel * 3 })
  })
  afterAll(async () => {
    await lab.close()
  })

  it('says what a notebook can do', async ({ skip }) => {
    const executable = python.executable ?? skip(python.why)
    const page = await readFile(PAGE, 'utf8')
    const blocks = [...page.matchAll(/```python\n(.*?)```/gs)].map(([, code]) => code)
    expect(blocks.length).toBeGreaterThan(7)
    const script = join(lab.dataDir, 'page.py')
    await writeFile(script, `${blocks.join('\n').replace('http://127.0.0.1:4000', lab.api.url)}${REPORT}`)
    const { stdout } = await promisify(execFile)(executable, [script], { cwd: lab.dataDir })
    expect(JSON.parse(stdout)).toEqual({
      rows: FRAMES,
      frame: [[HEIGHT, WIDTH], 'uint16', true],
      block: [[50, 16, 24], [50, 16, 24], true, true, true],
      times: [50, 'datetime64[ns]'],
      curve: [500, 500, FRAMES],
      mean: true,
      columns: ['sequence', 'time', 'index', 'minimum', 'maximum', 'mean', 'sum'],
      exposures: { minimum: 0, maximum: 0, mean: 0 },
    })
    expect((await stat(join(lab.dataDir, 'frame.png'))).size).toBeGreaterThan(100)
  })
})

import { expect, test } from 'vitest'
import { query } from '../harness/graphql.ts'
import { until } from '../until.ts'
import { type CameraBench, LOSE_EVERY, RATE_HZ, SENSOR_SIDE } from './camera-bench.ts'

const HEIGHT = 100 // of the histogram's drawing
const CANDIDATES = 12 // the histogram is of one of the last frames, and does not say of which

/** What the panel tells of a frame, against the bytes of that frame in a recording: another way than the one that they came to the page. */
export function figureTests(bench: () => CameraBench): void {
  test('the pixel, the figures, the profile and the histogram are those of the recorded frame, byte by byte over HTTP', async () => {
    const { camera, page } = bench()
    await bench().quality('Full', SENSOR_SIDE)
    using frames = await bench().watch('FULL', RATE_HZ)
    await bench().tool('Line')
    await camera.getByRole('button', { name: 'Whole row' }).click()
    const { x, y, width, height } = await bench().picture()
    await page.mouse.move(x + width / 2 + 31, y + height / 2 - 17)

    const { run, first } = await record()
    const told = await until(async () => {
      const now = await shown()
      return [now.facts.sequence, now.pixel.sequence, now.profile.sequence].every((sequence) => sequence > first + RATE_HZ * CANDIDATES) && now
    })
    const candidates = [...frames.seen.keys()].slice(-CANDIDATES)
    const recorded = await recordedFrames(run)

    const { pixel, facts, profile, histogram } = told
    expect((await recorded(pixel.sequence))[pixel.y * SENSOR_SIDE + pixel.x]).toBe(pixel.count)

    const whole = await recorded(facts.sequence)
    expect(facts).toMatchObject({
      mean: (whole.reduce((sum, count) => sum + count, 0) / whole.length).toFixed(1),
      range: `${whole.reduce((least, count) => Math.min(least, count), 0xffff)}…${whole.reduce((most, count) => Math.max(most, count), 0)}`,
      saturated: `${whole.filter((count) => count === 0xffff).length} px`,
    })

    const row = (await recorded(profile.sequence)).slice(profile.row * SENSOR_SIDE, (profile.row + 1) * SENSOR_SIDE)
    const mean = row.reduce((sum, count) => sum + count, 0) / row.length
    expect(profile).toMatchObject({ span: `0,${SENSOR_SIDE - 1}`, text: `mean ${mean.toFixed(1)}, ${Math.min(...row)}…${Math.max(...row)} counts` })

    const drawn = await Promise.all(candidates.map(async (sequence) => heightsOf(await recorded(sequence), histogram)))
    expect(drawn).toContainEqual(histogram.heights)
    await camera.getByRole('application').press('Delete')
    await bench().quality('Preview', SENSOR_SIDE / 2)
  })

  /** A recording under way, and the newest frame of the camera after it had begun. */
  async function record(): Promise<{ run: string; first: number }> {
    const { startRun } = await query<{ startRun: { id: string } }>(
      bench().lab.url,
      'mutation ($input: RunInput!) { startRun(input: $input) { ... on Run { id } } }',
      { input: { plan: { record: { detectors: [{ role: 'camera' }], frames: 100_000 } } } },
    )
    const rows = async () =>
      (await query<{ run: { datasets: { rows: number }[] } }>(bench().lab.url, 'query ($id: ID!) { run(id: $id) { datasets { rows } } }', { id: startRun.id }))
        .run.datasets[0]?.rows ?? 0
    await bench().becomes('recorded frames', async () => (await rows()) > 0)
    return { run: startRun.id, first: Number(await bench().fact('frame')) }
  }

  /** Ends the run; then, by their sequence, the pixels of what it recorded. */
  async function recordedFrames(run: string): Promise<(sequence: number) => Promise<Uint16Array>> {
    await query(bench().lab.url, 'mutation ($id: ID!) { abortRun(id: $id) { ... on Run { id } } }', { id: run })
    type Ended = { run: { state: string; datasets: { id: string }[] } }
    const ended = await until(async () => {
      const answer = await query<Ended>(bench().lab.url, 'query ($id: ID!) { run(id: $id) { state datasets { id } } }', { id: run })
      return answer.run.state === 'ABORTED' && answer.run
    })
    const of = async (index: number) => {
      const { dataset } = await query<{ dataset: { frame: { rawUrl: string } } }>(
        bench().lab.url,
        'query ($id: ID!, $index: SafeInt!) { dataset(id: $id) { frame(index: $index) { rawUrl } } }',
        { id: ended.datasets[0]?.id, index },
      )
      const answer = await fetch(new URL(dataset.frame.rawUrl, bench().lab.url))
      return { sequence: Number(answer.headers.get('x-frame-sequence')), pixels: new Uint16Array(await answer.arrayBuffer()) }
    }
    const lostBefore = (sequence: number) => Math.floor((sequence + 1) / LOSE_EVERY)
    const { sequence: first } = await of(0)
    return async (sequence) => {
      const frame = await of(sequence - first - (lostBefore(sequence) - lostBefore(first)))
      expect(frame.sequence).toBe(sequence)
      return frame.pixels
    }
  }

  /** All that the page says at this moment; each part names its frame. */
  async function shown() {
    return await bench().camera.evaluate((panel) => {
      const find = (selector: string) => panel.querySelector(selector)
      const data = (selector: string, name: string) => find(selector)?.getAttribute(`data-${name}`) ?? ''
      const fact = (name: string) => find(`[data-fact="${name}"] dd`)?.textContent ?? ''
      const [x = 0, y = 0] = data('[data-readout]', 'pixel').split(',').map(Number)
      const [from = 0, to = 0] = data('[data-span]', 'span').split(',').map(Number)
      return {
        pixel: { sequence: Number(data('[data-readout]', 'sequence')), x, y, count: Number(data('[data-readout]', 'count')) },
        facts: { sequence: Number(fact('frame')), mean: fact('mean'), range: fact('range'), saturated: fact('saturated') },
        profile: {
          sequence: Number(data('[data-profile]', 'sequence')),
          span: data('[data-profile]', 'profile'),
          row: Number(data('[data-line]', 'row')),
          text: find('[data-profile]')?.textContent ?? '',
        },
        histogram: { from, to, heights: [...(find('[data-span] path')?.getAttribute('d') ?? '').matchAll(/L\d+ ([\d.]+)H/g)].map(([, tall]) => Number(tall)) },
      }
    })
  }
}

/** The stair of a histogram in logarithmic height, counted the plain way. */
function heightsOf(pixels: Uint16Array, { from, to, heights }: { from: number; to: number; heights: readonly number[] }): number[] {
  const width = (to - from + 1) / heights.length
  const bins = heights.map(() => 0)
  for (const count of pixels) if (count >= from && count <= to) bins[Math.floor((count - from) / width)] = (bins[Math.floor((count - from) / width)] ?? 0) + 1
  const most = Math.max(...bins.map(Math.log1p))
  return bins.map((pixelsInIt) => Number((HEIGHT * (1 - Math.log1p(pixelsInIt) / most)).toFixed(1)))
}

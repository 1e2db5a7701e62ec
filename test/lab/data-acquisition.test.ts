import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { query, subscribe } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** What a physicist does with a data acquisition board, through the surfaces that a person has. */

type Outcome = { readonly __typename: string; readonly message: string; readonly id: string }
type Dataset = {
  readonly id: string
  readonly state: string
  readonly rows: number
  readonly files: readonly { readonly name: string; readonly url: string }[]
}
type Job = { readonly state: string; readonly export: { readonly files: readonly { readonly name: string; readonly url: string }[] } | null }

const START = 'mutation ($input: RunInput!) { startRun(input: $input) { __typename ... on Run { id } ... on Problem { message } } }'
const RATE_HZ = 10_000
const SCANS = 20_000

let lab: WholeLab
beforeAll(async () => {
  lab = await startWholeLab()
  await until(
    async () => {
      const { device } = await query<{ device: { connection: string; capabilities: string[] } | null }>(
        lab.url,
        '{ device(name: "daq") { connection capabilities } }',
      )
      return device?.connection === 'CONNECTED' && device.capabilities.includes('ANALOG_INPUT')
    },
    { deadlineMs: 90_000, what: 'the board to be connected' },
  )
})
afterAll(async () => {
  await lab?.stop()
})

const start = async (detectors: readonly object[], more: object): Promise<Outcome> =>
  (await query<{ startRun: Outcome }>(lab.url, START, { input: { plan: { record: { detectors, ...more } } } })).startRun

describe('a board', () => {
  let dataset: Dataset

  it('records two inputs at 10 kHz for two seconds, every scan once', async () => {
    const startRun = await start([{ role: 'daq', parameters: ['ach0', 'ach1'], rateHz: RATE_HZ }], { durationSeconds: 2 })
    expect(startRun).toMatchObject({ __typename: 'Run' })
    const run = await until(
      async () => {
        const { run: now } = await query<{ run: { state: string; datasets: Dataset[] } }>(
          lab.url,
          `query ($id: ID!) { run(id: $id) { state points exitReason datasets { id kind state rows dropped axes signals shape device { name } columns { name unit device { name } } files { name url } } } }`,
          { id: startRun.id },
        )
        return ['COMPLETED', 'FAILED'].includes(now.state) && now.datasets[0]?.state !== 'RECORDING' ? now : undefined
      },
      { deadlineMs: 30_000, what: 'the run' },
    )
    expect(run).toMatchObject({
      state: 'COMPLETED',
      exitReason: null,
      points: SCANS,
      datasets: [
        {
          kind: 'TABLE',
          state: 'COMPLETE',
          rows: SCANS,
          dropped: 0,
          axes: ['time'],
          signals: ['daq_ach0', 'daq_ach1'],
          shape: [SCANS],
          device: { name: 'daq' },
          columns: [
            { name: 'time' },
            { name: 'seq_num' },
            { name: 'daq_ach0', unit: 'V', device: { name: 'daq' } },
            { name: 'daq_ach1', unit: 'V', device: { name: 'daq' } },
          ],
        },
      ],
    })
    const [first] = run.datasets
    if (first === undefined) throw new Error('no dataset')
    dataset = first
  })

  it('is looked at like every table: a curve, its rows, its statistics', async () => {
    const read = await query<{ dataset: { series: { x: number[] }[]; table: { rows: unknown[][] } } }>(
      lab.url,
      `query ($id: ID!) { dataset(id: $id) {
        series(columns: ["daq_ach1"], x: "time", maxPoints: 200, reduce: MIN_MAX) { unit x values reducedFrom }
        table(range: { from: 19998 }) { rows }
        statistics(columns: ["daq_ach0", "daq_ach1"]) { count nulls mean } } }`,
      { id: dataset.id },
    )
    expect(read.dataset).toMatchObject({
      series: [{ unit: 'V', reducedFrom: SCANS }],
      statistics: [
        { count: SCANS, nulls: 0, mean: expect.closeTo(-0.0496, 2) },
        { count: SCANS, nulls: 0, mean: expect.closeTo(4.7814, 2) },
      ],
    })
    expect(read.dataset.table.rows.map(([, number]) => number)).toEqual([SCANS - 1, SCANS])
    const [curve] = read.dataset.series
    expect((curve?.x.at(-1) ?? 0) - (curve?.x[0] ?? 0)).toBeCloseTo(2, 1)
  })

  it.each([
    ['arrow', (bytes: Buffer) => expect(tableFromIPC(bytes).getChild('daq_ach1')?.length).toBe(SCANS)],
    ['csv', (bytes: Buffer) => expect(bytes.toString('utf8').trimEnd().split('\r\n')).toHaveLength(SCANS + 1)],
  ])('is exported to %s', async (format, check) => {
    const { requestExport } = await query<{ requestExport: Outcome }>(
      lab.url,
      'mutation ($input: ExportInput!) { requestExport(input: $input) { __typename ... on Job { id } ... on Problem { message } } }',
      { input: { datasetIds: [dataset.id], format } },
    )
    expect(requestExport.__typename).toBe('Job')
    let last: Job | undefined
    for await (const { job } of subscribe<{ job: Job }>(
      lab.url,
      'subscription ($id: ID!) { job(id: $id) { state problem { message } export { files { name url } } } }',
      { id: requestExport.id },
    )) {
      last = job
      if (['COMPLETED', 'FAILED', 'CANCELLED'].includes(job.state)) break
    }
    expect(last).toMatchObject({ state: 'COMPLETED' })
    const answer = await fetch(new URL(last?.export?.files[0]?.url ?? '', lab.url))
    check(Buffer.from(await answer.arrayBuffer()))
  })

  it.each([
    [{ parameters: ['ach0', 'ach1', 'ach2'], rateHz: 40_000 }, 'LimitViolation', /3 inputs together: 40000 Hz is outside 2 … 33333/],
    [{ parameters: ['dac0'], rateHz: 100 }, 'InvalidValue', /dac0 is not sampled/],
    [{ parameters: ['ach0'], rateHz: 100, average: 2 }, 'InvalidValue', /without an average/],
    [{ parameters: ['ach0'], rateHz: 0 }, 'InvalidValue', /rateHz 0 is not more than 0/],
  ])('refuses %j before it waits in a queue', async (detector, kind, message) => {
    expect(await start([{ role: 'daq', ...detector }], { durationSeconds: 1 })).toMatchObject({ __typename: kind, message: expect.stringMatching(message) })
  })

  it('says where a rate belongs', async () => {
    expect(await start([{ role: 'daq', parameters: ['ach0'] }], { rateHz: RATE_HZ, durationSeconds: 1 })).toMatchObject({
      __typename: 'InvalidValue',
      message: expect.stringContaining('takes a rate of its own, in its detector'),
    })
    expect(await start([{ role: 'power-meter', rateHz: 100 }], { durationSeconds: 1 })).toMatchObject({ __typename: 'NotSupported' })
  })

  it('plays a waveform until the emergency stop, which ends it and its pulses, and says so', async () => {
    const invoke = async (command: string, given: readonly object[]) =>
      (
        await query<{ invoke: object }>(
          lab.url,
          `mutation ($id: ID!, $command: String!, $given: [NamedValueInput!]) { invoke(deviceId: $id, command: $command, arguments: $given) {
            __typename ... on CommandPayload { state value } ... on Problem { code message } } }`,
          { id, command, given },
        )
      ).invoke
    const truth = async (name: string) =>
      (
        await query<{ device: { parameter: { reading: { boolean: boolean | null } | null } | null } }>(
          lab.url,
          'query ($id: ID!, $name: String!) { device(id: $id) { parameter(name: $name) { reading { boolean } } } }',
          { id, name },
        )
      ).device.parameter?.reading?.boolean
    const { id } = (await query<{ device: { id: string } }>(lab.url, '{ device(name: "daq") { id } }')).device
    const frequency = { name: 'frequency', value: { number: 100 } }
    expect(await invoke('play_waveform', [frequency, { name: 'offset', value: { number: 5 } }])).toMatchObject({ state: 'DONE', value: 100 })
    expect(await invoke('start_pulses', [frequency])).toMatchObject({ __typename: 'CommandPayload' })
    await until(async () => (await truth('dac0_playing')) === true && (await truth('counter0_running')) === true)
    const { emergencyStop } = await query<{ emergencyStop: { stations: { devices: { device: { name: string }; confirmed: boolean | null }[] }[] } }>(
      lab.url,
      'mutation { emergencyStop(reason: "a test") { stations { devices { device { name } confirmed } } } }',
    )
    expect(emergencyStop.stations[0]?.devices).toContainEqual({ device: { name: 'daq' }, confirmed: true })
    await until(async () => (await truth('dac0_playing')) === false && (await truth('counter0_running')) === false)
    expect(await invoke('play_waveform', [frequency])).toMatchObject({ code: 'EMERGENCY_STOPPED' })
    await query(lab.url, 'mutation { releaseEmergencyStop { __typename } }')
  })
})

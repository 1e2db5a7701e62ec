import { describe, expect, it } from 'vitest'
import type { LostStationRule } from '../../../../drivers/driver.ts'
import { until } from '../../../until.ts'
import { type HostBench, openHostBench, problemOf, record } from './bench.ts'
import { Laser, laserDriver } from './laser-driver.ts'
import { Instrument, testDriver } from './test-driver.ts'

/** What the feed says of it. */
const said = async (bench: HostBench): Promise<readonly string[]> =>
  (await bench.entries()).flatMap((entry) => (entry.type === 'event' && entry.event.summary.includes('lost') ? [entry.event.summary] : []))

async function openStage(rule: LostStationRule | undefined): Promise<{ readonly stage: Instrument; readonly bench: HostBench }> {
  const stage = new Instrument()
  const driver = { ...testDriver({ stage }), ...(rule !== undefined && { afterLostStation: rule }) }
  const bench = await openHostBench([driver], [record('axis', 'test-bench', { address: 'stage' })])
  await bench.connected('axis')
  return { stage, bench }
}

/** Under way at the moment when the station comes back. */
const onItsWay = (stage: Instrument) => (): void => {
  stage.unitsPerSecond = 2
  stage.go(40)
  stage.heard.length = 0
}

describe('a station that was lost and is back', () => {
  it('stops what moves before any command is taken, where the driver says STOP', async () => {
    const { stage, bench } = await openStage('STOP')
    await using _closed = bench
    stage.failing.add('stop')
    await bench.comeBackLost(onItsWay(stage))
    await until(() => bench.host.device('axis').state.connection === 'FAILED')
    expect(await problemOf(bench.ask('axis', { kind: 'set', name: 'gain', value: 1 }))).toMatchObject({
      code: 'DEVICE_OFFLINE',
      message: expect.stringContaining('stop was refused'),
    })
    expect(stage.moving).toBe(true)

    stage.failing.clear()
    await bench.connected('axis')
    expect(stage.moving).toBe(false)
    expect(stage.heard).toEqual(['stop'])
    expect(bench.host.device('axis').state.motion?.moving).toBe(false)
    expect(await said(bench)).toEqual(['axis was stopped, because its station had been lost'])
  })

  it('does so once: a cable that is pulled later is no lost station', async () => {
    const { stage, bench } = await openStage('STOP')
    await using _closed = bench
    await bench.comeBackLost(onItsWay(stage))
    await bench.connected('axis')
    expect(stage.heard).toEqual(['stop'])
    stage.unplug()
    await until(() => bench.host.device('axis').state.connection === 'RECONNECTING')
    onItsWay(stage)()
    stage.plugged = true
    await bench.connected('axis')
    expect(stage.heard).toEqual([])
    expect(stage.moving).toBe(true)
  })

  it('sends nothing to an axis that stands', async () => {
    const { stage, bench } = await openStage('STOP')
    await using _closed = bench
    await bench.comeBackLost(() => undefined)
    await bench.connected('axis')
    expect(stage.heard).toEqual([])
    expect(await said(bench)).toEqual([])
  })

  it.each([undefined, 'LEAVE'] as const)('leaves it as it is where the driver says %s', async (rule) => {
    const { stage, bench } = await openStage(rule)
    await using _closed = bench
    await bench.comeBackLost(onItsWay(stage))
    await bench.connected('axis')
    expect(stage.heard).toEqual([])
    await until(() => bench.host.device('axis').state.motion?.moving === true)
  })

  it('makes safe what the driver says MAKE_SAFE of', async () => {
    const laser = new Laser()
    await using bench = await openHostBench([laserDriver({ laser }, 'MAKE_SAFE')], [record('laser', 'test-laser', { address: 'laser' })])
    await bench.connected('laser')
    await bench.comeBackLost(() => {
      laser.on = true
      laser.open = true
    })
    await bench.connected('laser')
    expect([laser.on, laser.open]).toEqual([false, false])
    expect(bench.host.device('laser').reading('emission')).toMatchObject({ value: false, quality: 'GOOD' })
    expect(await said(bench)).toEqual(['laser was made safe, because its station had been lost'])
    const cause = { kind: 'INTERLOCK', reason: 'its station had been lost' }
    expect((await bench.entries()).filter(({ type }) => type === 'change')).toMatchObject([
      { parameter: 'shutter', old: { value: true }, new: { value: false }, cause },
      { parameter: 'emission', old: { value: true }, new: { value: false }, cause },
    ])
  })

  it('says in its journal that it was lost; one that ended in order does not', async () => {
    const { stage, bench } = await openStage('STOP')
    await using _closed = bench
    const lives = async () => (await bench.entries()).filter(({ type }) => type === 'life')
    expect(await lives()).toMatchObject([{ state: 'BEGAN' }])
    await bench.restart()
    onItsWay(stage)()
    await bench.connected('axis')
    expect(stage.heard).toEqual([])
    await bench.comeBackLost(() => undefined)
    expect((await lives()).map((life) => (life.type === 'life' ? [life.state, life.afterLoss] : []))).toEqual([
      ['BEGAN', undefined],
      ['ENDED', undefined],
      ['BEGAN', undefined],
      ['BEGAN', true],
    ])
  })
})

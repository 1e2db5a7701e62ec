import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { SimulatedTerminal } from '../../drivers/simulated-terminal.ts'
import type { Fault } from '../../drivers/simulation.ts'
import { thorlabsEll14 } from '../../drivers/thorlabs-ell14/driver.ts'
import * as protocol from '../../drivers/thorlabs-ell14/protocol.ts'
import { Ell14Bus, RECORDED_MODULES } from '../../drivers/thorlabs-ell14/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf, readOne } from './bench.ts'

const host = { random: () => 0.5, accepted: () => undefined }
const exact = RECORDED_MODULES.map((module) => ({ ...module, spreadPulses: 0 }))

describe('the protocol', () => {
  test('identities as they were recorded, in the layout of the vendor', () => {
    const identity = (line: string) => protocol.parseIdentity(line)
    expect(identity('2IN0E1140051720231701016800023000')).toEqual({
      type: 14,
      serial: '11400517',
      year: 2023,
      firmware: '17',
      hardware: 1,
      thread: 'metric',
      travelDegrees: 360,
      pulsesPerTurn: 143_360,
    })
    expect(identity('3IN0E1140028420211501016800023000')).toMatchObject({ serial: '11400284', year: 2021, firmware: '15' })
    expect(identity('8IN0E1140060920231701016800023000')).toMatchObject({ serial: '11400609', year: 2023, firmware: '17' })
    expect(identity('2IN0E1140051720231781016800023000')).toMatchObject({ thread: 'imperial', hardware: 1 })
    expect(identity('2IN0E114005172023170101680002')).toBeUndefined()
  })

  test.each([
    [45, 17_920, '00004600'],
    [90, 35_840, '00008C00'],
    [180, 71_680, '00011800'],
    [360, 143_360, '00023000'],
    [0.05, 20, '00000014'],
    [-24.04, -9572, 'FFFFDA9C'],
    [-30.86, -12_288, 'FFFFD000'],
  ])('%d° are %d pulses, %s on the wire', (degrees, pulses, digits) => {
    expect(Math.abs(protocol.pulsesOf(degrees, 143_360) - pulses)).toBeLessThanOrEqual(1) // the recorded angles are rounded to 0.01°
    expect(protocol.long(pulses)).toBe(digits)
    expect(protocol.parsePulses(`2PO${digits}`, 'PO')).toBe(pulses)
    expect(protocol.degreesOf(pulses, 143_360)).toBeCloseTo(degrees, 1)
  })

  test('commands carry no terminator', () => {
    expect(protocol.command.moveTo('2', 17_920)).toBe('2ma00004600')
    expect(protocol.command.moveBy('A', -9572)).toBe('AmrFFFFDA9C')
    expect(protocol.command.velocity('3', 100)).toBe('3sv64')
    expect(protocol.command.home('3', 'clockwise')).toBe('3ho0')
    expect(protocol.command.home('3', 'counter-clockwise')).toBe('3ho1')
    expect(protocol.command.period('2', 1, 'forward', 0xb7)).toBe('2f180B7')
    expect(protocol.command.factoryPeriod('2', 2, 'backward')).toBe('2b28FFF')
  })

  test('a motor as it was recorded', () => {
    const info = protocol.parseMotor('2I1100B85FFFFFFFF00B7008D', 1)
    expect(info).toMatchObject({ loop: true, on: false, rampUp: undefined, rampDown: undefined })
    expect(info?.currentAmperes).toBeCloseTo(0x0b85 / 1866, 9)
    expect(info?.forwardHz).toBeCloseTo(14_740_000 / 0xb7, 6)
    expect(info?.backwardHz).toBeCloseTo(14_740_000 / 0x8d, 6)
  })

  test('status codes are numbers, not bits', () => {
    expect(protocol.ERROR_CODES).toEqual(['01', '02', '03', '04', '05', '06', '07', '08', '09', '0A', '0B', '0C', '0D'])
    expect(protocol.parseStatus('2GS09')).toMatchObject({ busy: true, ok: false })
    expect(protocol.parseStatus('2GS01')).toMatchObject({ busy: false, text: 'communication time-out' })
    expect(protocol.parseStatus('2GS0D')).toMatchObject({ text: 'over-current' })
    expect(protocol.parseStatus('x2GS00')).toBeUndefined()
  })

  test('a curve: 87 points of frequency and current', () => {
    const bytes = Buffer.alloc(protocol.CURVE_BYTES)
    bytes.writeUInt16BE(183, 0)
    bytes.writeUInt32BE(1866, 2)
    const curve = protocol.parseCurve(bytes)
    expect(curve).toHaveLength(174)
    expect(curve[0]).toBeCloseTo(80_546.4, 1)
    expect(curve[1]).toBe(1)
    expect(curve[2]).toBe(0)
  })

  test('no text becomes a value that it is not', () => {
    const almost = fc.stringMatching(/^[0-9A-F]?(PO|GS|GV|IN|I1|C1)[0-9A-Fa-f]{0,34}$/)
    fc.assert(
      fc.property(fc.oneof(fc.string(), almost), (line) => {
        const pulses = protocol.parsePulses(line, 'PO')
        if (pulses !== undefined) expect(line.slice(1)).toBe(`PO${protocol.long(pulses)}`)
        const status = protocol.parseStatus(line)
        if (status !== undefined) expect(line.slice(1)).toBe(`GS${status.code}`)
        const identity = protocol.parseIdentity(line)
        if (identity !== undefined) expect(line).toMatch(/^[0-9A-F]IN[0-9A-F]{30}$/)
        protocol.parseMotor(line, 1)
        protocol.parseVelocity(line)
      }),
    )
  })

  test('every position survives the wire', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (pulses) => {
        expect(protocol.parsePulses(`7PO${protocol.long(pulses)}`, 'PO')).toBe(pulses)
      }),
    )
  })
})

describe('the simulated bus', () => {
  const told = (bus: Ell14Bus, text: string, seconds = 0): string => Buffer.from(bus.receive(Buffer.from(text), seconds)).toString('latin1')

  test('says what was recorded, byte for byte', () => {
    const bus = new Ell14Bus(host, {
      modules: [
        {
          address: '2',
          identity: '0E1140051720231701016800023000',
          positionPulses: -9572,
          motors: ['100B85FFFFFFFF00B7008D', '100B85FFFFFFFF00B7008D'],
          spreadPulses: 0,
        },
        { address: '3', identity: '0E1140028420211501016800023000', positionPulses: -12_288 },
        { address: '8', identity: '0E1140060920231701016800023000' },
      ],
    })
    expect(told(bus, '2in')).toBe('2IN0E1140051720231701016800023000\r\n')
    expect(told(bus, '3in')).toBe('3IN0E1140028420211501016800023000\r\n')
    expect(told(bus, '8in')).toBe('8IN0E1140060920231701016800023000\r\n')
    expect(told(bus, '2gp')).toBe('2POFFFFDA9C\r\n')
    expect(told(bus, '3gp')).toBe('3POFFFFD000\r\n')
    expect(told(bus, '2i1')).toBe('2I1100B85FFFFFFFF00B7008D\r\n')
    expect(told(bus, '2ma00004600')).toBe('')
    expect(told(bus, '', 10)).toBe('2PO00004600\r\n')
  })

  test('moves at 430°/s, is busy meanwhile, and says where it stands at the end', () => {
    const bus = new Ell14Bus(host, { modules: exact })
    expect(told(bus, '2ma00011800')).toBe('')
    expect(bus.dueAt()).toBeCloseTo(180 / 430, 6)
    expect(told(bus, '2gs', 0.2)).toBe('2GS09\r\n')
    expect(told(bus, '2ma00000000', 0.2)).toBe('2GS09\r\n')
    expect(told(bus, '3gp', 0.2)).toBe('3PO00000000\r\n')
    expect(told(bus, '', 0.5)).toBe('2PO00011800\r\n')
    expect(told(bus, '2gs', 0.5)).toBe('2GS00\r\n')
    told(bus, '2sv32', 1)
    told(bus, '2ma00000000', 1)
    expect(bus.dueAt()).toBeCloseTo(1 + 180 / 215, 6)
  })

  test('stalls at a low velocity and reports a mechanical time-out', () => {
    const bus = new Ell14Bus(host, { modules: exact })
    expect(told(bus, '2sv0A2ma00004600')).toBe('2GS00\r\n')
    expect(told(bus, '', 3)).toBe('2GS02\r\n')
    expect(told(bus, '2gp', 3)).toBe('2PO00000000\r\n')
  })

  test('forgets half a packet after two seconds, and at a carriage return', () => {
    const bus = new Ell14Bus(host, { modules: exact })
    expect(told(bus, '2ma0000', 0)).toBe('')
    expect(told(bus, '2gp', 2.5)).toBe('2PO00000000\r\n')
    expect(told(bus, '2ma0000\r2gp', 2.6)).toBe('2PO00000000\r\n')
    expect(told(bus, '2ma', 2.7) + told(bus, '00004600', 4)).toBe('')
    expect(told(bus, '', 10)).toBe('2PO00004600\r\n')
    expect(told(bus, '\u00ff~2gp', 11)).toBe('2PO00004600\r\n')
  })

  test('refuses what it does not know and what is out of range', () => {
    const bus = new Ell14Bus(host, { modules: exact })
    expect(told(bus, '2bv')).toBe('2GS03\r\n')
    expect(told(bus, '2sv65')).toBe('2GS04\r\n')
    expect(told(bus, '2ma00023001')).toBe('2GS0C\r\n')
    expect(told(bus, '2ma0000460a')).toBe('2GS03\r\n')
    expect(told(bus, '7gp')).toBe('')
  })

  test('a group moves with one command, once', () => {
    const bus = new Ell14Bus(host, { modules: exact })
    expect(told(bus, '3ga2')).toBe('3GS00\r\n')
    told(bus, '2ma00004600')
    expect(told(bus, '', 1)).toBe('2PO00004600\r\n3PO00004600\r\n')
    told(bus, '2ma00000000', 1)
    expect(told(bus, '', 2)).toBe('2PO00000000\r\n')
  })

  test('a third module that moves with two others browns the bus out', () => {
    const bus = new Ell14Bus(host, { modules: exact })
    told(bus, '2ma00011800')
    told(bus, '3ma00011800')
    expect(told(bus, '8ma00011800', 0.1)).toBe('')
    expect(told(bus, '2gs', 0.2)).toBe('')
    expect(told(bus, '2gs', 1)).toBe('2GS07\r\n')
  })

  test('isolated it says nothing until its time is over', () => {
    const bus = new Ell14Bus(host, { modules: exact })
    expect(told(bus, '2is01')).toBe('2GS00\r\n')
    expect(told(bus, '2gp', 30)).toBe('')
    expect(told(bus, '3gp', 30)).toBe('3PO00000000\r\n')
    expect(told(bus, '2gp', 61)).toBe('2PO00000000\r\n')
    told(bus, '2is01', 62)
    expect(told(bus, '2is00', 63)).toBe('2GS06\r\n')
    expect(told(bus, '2gp', 64)).toBe('2PO00000000\r\n')
  })

  test('every documented error is told by who moves, or by who is spoken to next', () => {
    for (const code of protocol.ERROR_CODES) {
      const bus = new Ell14Bus(host, { modules: exact })
      bus.provoke(code, 0)
      expect(told(bus, '3gp')).toBe(`3GS${code}\r\n`)
      expect(told(bus, '3gp')).toBe('3PO00000000\r\n')
      told(bus, '2ma00011800')
      bus.provoke(code, 0.1)
      expect(told(bus, '', 0.1)).toBe(`2GS${code}\r\n`)
    }
  })

  test('stands whatever it is sent', () => {
    const nearly = fc.stringMatching(/^([0-9A-G][a-z]{2}[0-9A-F]{0,9}\r?){1,6}$/).map((text) => Buffer.from(text))
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), nearly), { maxLength: 20 }), (messages) => {
        const bus = new Ell14Bus({ random: () => 0.3, accepted: () => undefined }, { modules: RECORDED_MODULES })
        messages.forEach((message, second) => {
          const said = Buffer.from(bus.receive(message, second)).toString('latin1')
          if (!/[0-9A-F]C[12]/.test(said)) expect(said).toMatch(/^([0-9A-F][A-Z][A-Z12][0-9A-F]*\r\n)*$/)
        })
        for (const module of bus.modules) expect(Number.isSafeInteger(module.position(messages.length))).toBe(true)
      }),
    )
  })
})

describe('the driver on a pseudo-terminal', () => {
  let bench: Bench
  let bus: Ell14Bus
  let line: SimulatedTerminal
  let accepted: string[]
  let timeFactor = 1
  const settings = { address: 'sim://ell14', busAddress: '2', baudRate: 115_200 }

  beforeEach(async () => {
    bench = await openBench()
    accepted = []
    timeFactor = 1
    bus = new Ell14Bus({ random: () => 0.5, accepted: (command) => accepted.push(command) }, { modules: exact })
    const linkPath = join(bench.folder, 'ell14.tty')
    let lastMs = performance.now()
    let seconds = 0
    const clock = (): number => {
      const nowMs = performance.now()
      seconds += ((nowMs - lastMs) / 1000) * timeFactor
      lastMs = nowMs
      return seconds
    }
    line = new SimulatedTerminal({ instrument: bus, baudRate: 115_200, linkPath, seconds: clock })
    await line.plugIn()
    await writeEntry(bench.folder, 'ell14', { kind: 'serial', path: linkPath })
  })

  afterEach(async () => {
    await line[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  /** Throws what the module ended with. */
  const ended = async (goesOn: () => Promise<boolean> | undefined): Promise<void> => {
    const failure = await until(
      () =>
        Promise.resolve(goesOn()).then(
          (more) => (more ? undefined : 'nothing'),
          (error: unknown) => ({ error }),
        ),
      { everyMs: 25 },
    )
    if (failure !== 'nothing') throw failure.error
  }
  const settled = (device: DeviceHandle): Promise<void> => ended(() => device.motion?.isMoving(never))
  const over = (device: DeviceHandle): Promise<void> => ended(() => device.underWay?.(never))
  const second = async (port: Parameters<typeof thorlabsEll14.openDevice>[0], busAddress: string) =>
    await thorlabsEll14.openDevice(port, { ...settings, busAddress }, bench.context, never)

  test('says what it is, and reads every parameter', async () => {
    await using module = await open(thorlabsEll14, settings, bench.context)
    expect(module.device.identity).toBe('ELL14, serial number 11400517 of 2023, firmware 17, address 2')
    const names = module.device.parameters.map((parameter) => parameter.name)
    const readings = await module.device.read(names, never)
    expect([...readings.keys()]).toEqual(names)
    expect([...readings].filter(([, measured]) => 'bad' in measured).map(([name]) => name)).toEqual(['homed'])
    expect(readings.get('velocity')).toEqual({ value: 100 })
    expect(readings.get('motor1_current')).toEqual({ value: 0x0b85 / 1866 })
    expect(readings.get('status')).toEqual({ value: 'ok' })
  })

  test('moves, with the bus free for the others meanwhile, and is settled by its own word', async () => {
    timeFactor = 0.5
    await using two = await open(thorlabsEll14, settings, bench.context)
    await using three = await second(two.port, '3')
    await two.device.motion?.moveTo(270, never)
    expect(await two.device.motion?.isMoving(never)).toBe(true)
    expect(await goodValue(three, 'position')).toBe(0)
    expect(await two.device.motion?.isMoving(never)).toBe(true)
    timeFactor = 20
    await settled(two.device)
    expect(await goodValue(two.device, 'position')).toBe(270)
    expect(accepted).toEqual(['2ma0001A400'])
  })

  test('homes either way', async () => {
    timeFactor = 20
    await using two = await open(thorlabsEll14, { ...settings, homeDirection: 'counter-clockwise' }, bench.context)
    await two.device.motion?.home(never)
    expect(two.device.motion?.homed()).toBe(false)
    await settled(two.device)
    expect(two.device.motion?.homed()).toBe(true)
    expect(accepted).toEqual(['2ho1'])
    expect(await goodValue(two.device, 'position')).toBeLessThan(0) // slightly: homing is no more accurate
  })

  test('refuses what is outside its limits before anything is sent', async () => {
    await using two = await open(thorlabsEll14, { ...settings, maximumDegrees: 90 }, bench.context)
    const { motion, commands } = two.device
    for (const refused of [
      motion?.moveTo(-1, never),
      motion?.moveTo(90.1, never),
      motion?.moveTo(Number.NaN, never),
      commands?.invoke('move_relative', { distance: 91 }, never),
    ]) {
      const problem = await problemOf(refused ?? Promise.resolve())
      expect([problem.code, problem.effect]).toEqual(['LIMIT_VIOLATION', 'NONE'])
    }
    await commands?.invoke('jog_forward', {}, never)
    await over(two.device)
    expect(
      (
        await problemOf(
          commands
            ?.invoke('jog_backward', {}, never)
            .then(() => over(two.device))
            .then(() => commands?.invoke('jog_backward', {}, never)) ?? Promise.resolve(),
        )
      ).code,
    ).toBe('LIMIT_VIOLATION')
    expect(accepted).toEqual(['2fw', '2bw'])
  })

  test('sets and reads back', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    expect(await two.device.write?.('velocity', 70, never)).toBe(70)
    expect(await two.device.write?.('jog_step', 10, never)).toBeCloseTo(10, 2)
    expect(await two.device.write?.('home_offset', -2, never)).toBeCloseTo(-2, 2)
    const frequency = await two.device.write?.('motor1_forward_frequency', 80_000, never)
    expect(frequency).toBeCloseTo(14_740_000 / 184, 6)
    expect(await goodValue(two.device, 'motor1_forward_frequency')).toBe(frequency)
    await two.device.commands?.invoke('restore_factory_frequency', { motor: 1, direction: 'forward' }, never)
    expect(await goodValue(two.device, 'motor1_forward_frequency')).toBeCloseTo(14_740_000 / 183, 6)
    await two.device.commands?.invoke('save', {}, never)
    expect(accepted).toEqual(['2sv46', '2sj00000F8E', '2soFFFFFCE4', '2f180B8', '2f18FFF', '2us'])
  })

  test('a set that is not acknowledged is read back', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    line.inject({ kind: 'silent' })
    expect(await two.device.write?.('velocity', 80, never)).toBe(80)
    expect(accepted).toEqual(['2sv50'])
  })

  test('each documented error of a move is told by name, and where nothing was done that is said', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    timeFactor = 0.1
    await two.device.motion?.moveTo(180, never)
    bus.provoke('08', 0)
    timeFactor = 10
    const problem = await problemOf(settled(two.device))
    expect([problem.code, problem.facts.instrumentCode, problem.effect]).toEqual(['HARDWARE_FAULT', '08', 'DONE'])
    expect(problem.message).toContain('thermal error')
    await goodValue(two.device, 'position')
    for (const code of ['02', '04', '0D']) {
      line.inject({ kind: 'error', code })
      expect(await readOne(two.device, 'position')).toEqual({ bad: expect.stringContaining(`(${code})`) })
    }
    line.inject({ kind: 'error', code: '04' })
    const refused = await problemOf(two.device.write?.('velocity', 90, never) ?? Promise.resolve())
    expect([refused.facts.instrumentCode, refused.effect]).toEqual(['04', 'NONE'])
    expect(await goodValue(two.device, 'velocity')).toBe(100)
  })

  test('a stalled motor ends in a mechanical time-out', async () => {
    timeFactor = 20
    await using two = await open(thorlabsEll14, { ...settings, minimumVelocity: 0 }, bench.context)
    await two.device.write?.('velocity', 5, never)
    await two.device.motion?.moveTo(10, never)
    expect((await problemOf(settled(two.device))).facts.instrumentCode).toBe('02')
  })

  test('a module that says ok and stands elsewhere has not moved', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    await two.device.motion?.moveTo(180, never)
    const module = bus.modules[0]
    module?.obey('st', '', 0) // by its own panel: the clock of the simulation is at its start
    expect((await problemOf(settled(two.device))).message).toContain('not at 180.00°')
  })

  test('a busy module takes no second move', async () => {
    timeFactor = 0.1
    await using two = await open(thorlabsEll14, settings, bench.context)
    await two.device.motion?.moveTo(180, never)
    const problem = await problemOf(two.device.motion?.moveTo(10, never) ?? Promise.resolve())
    expect([problem.code, problem.effect]).toEqual(['DEVICE_BUSY', 'NONE'])
    timeFactor = 20
    await settled(two.device)
    expect(accepted).toHaveLength(1)
  })

  const READ_FAULTS: readonly Fault[] = [{ kind: 'silent' }, { kind: 'garbage' }, { kind: 'cut' }, { kind: 'foreign' }, { kind: 'late', byMs: 700 }]
  test.each(READ_FAULTS)('a reading after a reply that is $kind is asked for again and right', async (fault) => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    line.inject(fault)
    expect(await readOne(two.device, 'position')).toEqual({ value: 0 })
    expect(await readOne(two.device, 'velocity')).toEqual({ value: 100 })
    expect(await readOne(two.device, 'jog_step')).toEqual({ value: 45 })
  })

  test('a truncated identity is asked for again', async () => {
    const cut = bus.receive.bind(bus)
    let times = 0
    bus.receive = (bytes, seconds) => {
      const reply = cut(bytes, seconds)
      const isIdentity = Buffer.from(reply).toString('latin1').startsWith('2IN')
      if (isIdentity) times += 1
      return isIdentity && times <= 3 ? Buffer.concat([Buffer.from(reply).subarray(0, 20), Buffer.from('\r\n')]) : reply
    }
    await using two = await open(thorlabsEll14, settings, bench.context)
    expect(two.device.identity).toContain('11400517')
    expect(times).toBe(4)
  })

  test('another model, another serial number and an empty address are refused by name', async () => {
    const wrong = { ...settings, serialNumber: '11400999' }
    expect((await problemOf(open(thorlabsEll14, wrong, bench.context))).message).toContain('serial number 11400517, not 11400999')
    expect((await problemOf(open(thorlabsEll14, { ...settings, busAddress: 'A' }, bench.context))).code).toBe('DEADLINE_EXCEEDED')
    bus.receive = () => Buffer.from('2IN061140051720231701016800023000\r\n')
    expect((await problemOf(open(thorlabsEll14, settings, bench.context))).message).toContain('answers as ELL6, which is not an ELL14')
  })

  test('settings that the bus cannot have are refused in words', () => {
    const located = (change: Record<string, unknown>) => () => thorlabsEll14.locate({ ...settings, ...change })
    expect(located({ flowControl: 'hardware' })).toThrow('with RTS/CTS the ELL14 bus hangs')
    expect(located({ busAddress: 'G' })).toThrow('choose one of 0, 1')
    expect(located({ minimumDegrees: 100, maximumDegrees: 10 })).toThrow('must be below')
    expect(located({ speed: 1 })).toThrow('not a setting')
    expect(thorlabsEll14.locate({ ...settings, busAddress: 8 })).toEqual({ address: 'sim://ell14', subAddress: '8' })
  })

  test('one address is one device, and its neighbours agree about the bus', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    expect((await problemOf(second(two.port, '2'))).code).toBe('CONFLICT')
    const other = { ...settings, busAddress: '3', movingTogether: 3 }
    expect((await problemOf(thorlabsEll14.openDevice(two.port, other, bench.context, never))).message).toContain('must agree')
  })

  test('no more than two move together: the third waits for one to stand', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    await using three = await second(two.port, '3')
    await using eight = await second(two.port, '8')
    timeFactor = 0.05
    await two.device.motion?.moveTo(180, never)
    await three.motion?.moveTo(180, never)
    const waiting = eight.motion?.moveTo(180, never)
    expect(await goodValue(eight, 'position')).toBe(0)
    expect(accepted).toEqual(['2ma00011800', '3ma00011800'])
    timeFactor = 20
    await Promise.all([settled(two.device), settled(three), waiting])
    await settled(eight)
    expect(accepted).toEqual(['2ma00011800', '3ma00011800', '8ma00011800'])
    expect(await goodValue(eight, 'position')).toBe(180)
  })

  test('a stop ends the waiting for the others to stand', async () => {
    await using two = await open(thorlabsEll14, { ...settings, movingTogether: 1 }, bench.context)
    await using three = await thorlabsEll14.openDevice(two.port, { ...settings, busAddress: '3', movingTogether: 1 }, bench.context, never)
    timeFactor = 0.05
    await two.device.motion?.moveTo(180, never)
    const waiting = problemOf(three.motion?.moveTo(180, never) ?? Promise.resolve())
    await three.motion?.stop(never)
    expect([(await waiting).code, (await waiting).effect]).toEqual(['CONFLICT', 'NONE'])
    expect(accepted).toEqual(['2ma00011800', '3st'])
  })

  test('a group moves with one command, and every member knows that it moves', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    await using three = await second(two.port, '3')
    await three.commands?.invoke('join_group', { address: '2' }, never)
    timeFactor = 0.1
    await two.device.motion?.moveTo(45, never)
    expect(await three.motion?.isMoving(never)).toBe(true)
    timeFactor = 20
    await Promise.all([settled(two.device), settled(three)])
    expect(accepted).toEqual(['3ga2', '2ma00004600', '2ma00004600'].map((text, at) => (at === 2 ? '3ma00004600' : text)))
    expect([await goodValue(two.device, 'position'), await goodValue(three, 'position')]).toEqual([45, 45])
    await two.device.motion?.moveTo(0, never)
    expect(await three.motion?.isMoving(never)).toBe(false)
    await settled(two.device)
  })

  test('searches a resonance and measures a curve; commands that take time are under way until the module is done', async () => {
    timeFactor = 20
    await using two = await open(thorlabsEll14, settings, bench.context)
    await two.device.commands?.invoke('search_resonance', { motor: 1 }, never)
    expect(await two.device.underWay?.(never)).toBe(true)
    await over(two.device)
    timeFactor = 100
    const curve = await two.device.commands?.invoke('current_curve', { motor: 1 }, never)
    if (!Array.isArray(curve)) throw new Error('no curve')
    expect(curve).toHaveLength(174)
    const peak = curve.findIndex((value, at) => at % 2 === 1 && value === Math.max(...curve.filter((_, other) => other % 2 === 1)))
    expect(curve[peak - 1]).toBeGreaterThan(79_000)
    expect(curve[peak - 1]).toBeLessThan(82_000)
    expect(await goodValue(two.device, 'position')).toBe(0)
    timeFactor = 1000
    await two.device.commands?.invoke('clean', {}, never)
    await over(two.device)
    expect(accepted).toEqual(['2s1', '2c1', '2cm'])
  })

  test('isolated it is not asked, and says so', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    await two.device.commands?.invoke('isolate', { minutes: 5 }, never)
    expect(await readOne(two.device, 'position')).toEqual({ bad: expect.stringContaining('isolated') })
    expect(await two.device.motion?.isMoving(never)).toBe(false)
    expect((await problemOf(two.device.motion?.moveTo(5, never) ?? Promise.resolve())).effect).toBe('NONE')
    await two.device.commands?.invoke('isolate', { minutes: 0 }, never)
    expect(await goodValue(two.device, 'position')).toBe(0)
  })

  test('with a new address it must be registered anew', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    await using _three = await second(two.port, '3')
    expect((await problemOf(two.device.commands?.invoke('change_address', { address: '3' }, never) ?? Promise.resolve())).code).toBe('CONFLICT')
    await two.device.commands?.invoke('change_address', { address: '5' }, never)
    expect(await two.device.motion?.isMoving(never)).toBe(false)
    expect((await problemOf(two.device.motion?.moveTo(5, never) ?? Promise.resolve())).message).toContain('answers at address 5')
    await using five = await second(two.port, '5')
    expect(five.identity).toContain('address 5')
  })

  test('a stop overtakes what waits, and an emergency stop voids it', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    await using three = await second(two.port, '3')
    timeFactor = 0.2
    await two.device.motion?.moveTo(180, never)
    await two.device.motion?.stop(never)
    await settled(two.device)
    expect(accepted).toEqual(['2ma00011800', '2st'])
    await three.motion?.moveTo(180, never)
    const waiting = Array.from({ length: 10 }, () => readOne(three, 'position'))
    const { confirmed } = (await three.emergencyStop?.(never)) ?? { confirmed: Promise.resolve(false) }
    expect(await confirmed).toBe(true)
    expect(accepted).toEqual(['2ma00011800', '2st', '3ma00011800', '3st'])
    expect((await Promise.all(waiting)).at(-1)).toEqual({ bad: expect.stringContaining('emergency stop') })
    await settled(three)
  })

  test('a module that is silent does not keep its neighbours waiting', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    await using three = await second(two.port, '3')
    bus.modules[1]?.brownOut(1e9)
    let asked = 0
    const hear = bus.receive.bind(bus)
    bus.receive = (bytes, seconds) => {
      if (Buffer.from(bytes).toString('latin1').includes('3')) asked += 1
      return hear(bytes, seconds)
    }
    for (let times = 0; times < 50; times += 1) expect(await readOne(three, 'position')).toHaveProperty('bad')
    expect(asked).toBeLessThan(10) // each time it is asked the bus waits for half a second
    expect(await goodValue(two.device, 'position')).toBe(0)
  })

  test('finds who answers on the line', async () => {
    await line[Symbol.asyncDispose]()
    line = new SimulatedTerminal({ instrument: bus, baudRate: 9600, linkPath: join(bench.folder, 'ell14.tty'), seconds: () => performance.now() / 1000 })
    await line.plugIn()
    const found = await thorlabsEll14.probe?.('sim://ell14', bench.context, never)
    expect(found?.map((probed) => probed.settings)).toEqual(['2', '3', '8'].map((busAddress) => ({ address: 'sim://ell14', busAddress })))
    expect(accepted).toEqual([])
  })

  test('unplugged, everything waiting is told; plugged in again it opens anew', async () => {
    await using two = await open(thorlabsEll14, settings, bench.context)
    await line.unplug()
    await until(() => two.port.lost.aborted)
    expect((await problemOf(two.device.read(['position'], never))).code).toBe('DEVICE_OFFLINE')
    await line.plugIn()
    await using again = await open(thorlabsEll14, settings, bench.context)
    expect(await goodValue(again.device, 'position')).toBe(0)
  })
})

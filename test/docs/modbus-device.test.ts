import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { modbusFormat } from '../../drivers/modbus/format.ts'
import { BIT_WRITES, CODINGS, ORDERS } from '../../drivers/modbus/profile.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { goodValue, never, open, openBench } from '../drivers/bench.ts'

/** The recipe's own profile is what runs here. */
const recipe = await readFile(path.join(import.meta.dirname, '../../docs/recipes/add-a-modbus-device.md'), 'utf8')
const [profile = '', variants = ''] = [...recipe.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text ?? '')

it('the profile of the recipe is a driver, and its simulated device can be used', async () => {
  const driver = modbusFormat.driverOf(profile, 'acme-oven.yaml')
  await using bench = await openBench()
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-recipe-'))
  try {
    const simulation = modbusFormat.simulationOf?.(profile, 'acme-oven.yaml') ?? expect.fail('it cannot be simulated')
    await using running = await simulation.start({ folder, name: 'oven', seed: 1 })
    await writeEntry(bench.folder, 'oven', running.entry)
    await using opened = await open(driver, { address: 'sim://oven' }, bench.context)
    expect(opened.device.identity).toBe('Acme oven 0')
    expect(await opened.device.write?.('setpoint', 85.5, never)).toBe(85.5)
    expect(await opened.device.write?.('fan', true, never)).toBe(true)
    expect(await goodValue(opened.device, 'state')).toBe('off')
    expect((await driver.probe?.('sim://oven', bench.context, never))?.[0]?.identity).toBe('Acme oven 0')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

it('its variants become a setting, which changes the registers that they name', async () => {
  const driver = modbusFormat.driverOf(`${profile}\n${variants}`, 'acme-oven.yaml')
  expect(driver.settings.find(({ name }) => name === 'temperatureScale')).toMatchObject({ choices: ['tenths', 'whole'], default: 'tenths' })
})

it('the recipe names every coding, order and way to write a bit', () => {
  for (const word of [...Object.keys(CODINGS), ...ORDERS, ...BIT_WRITES]) expect(recipe).toContain(`\`${word}\``)
})

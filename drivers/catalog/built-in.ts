import { driverById } from '../catalog.ts'
import type { Driver } from '../driver.ts'
import { builtInModbusDriver } from '../modbus/built-in.ts'
import { builtInScpiDriver } from '../scpi/built-in.ts'

/** A driver that comes with the program, whether it is code or a description; undefined when there is none of that id. */
export function builtInDriver(id: string): Driver | undefined {
  return driverById(id) ?? builtInScpiDriver(id) ?? builtInModbusDriver(id)
}

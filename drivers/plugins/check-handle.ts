import type { Access, ParameterSpec } from '../../core/parameter.ts'
import type { DeviceHandle } from '../driver.ts'
import { checkQuantity, checkUnit } from './check-quantity.ts'
import { callable, type Fields, fieldsOf, finite, ifThere, listOf, oneOf, refuse, text } from './shape.ts'

const ACCESSES: readonly Access[] = ['READ_ONLY', 'READ_WRITE', 'WRITE_ONLY']
const MOST_PARAMETERS = 10_000 // each costs memory in every process that shows it
const MOST_COMMANDS = 1000

/** An open device of a plugin, before anybody uses it. Throws InvalidValue that names the place. */
export function checkHandle(value: unknown): asserts value is DeviceHandle {
  const handle = fieldsOf(value, 'the device handle')
  text(handle.identity, 'identity')
  const parameters = checkParameters(handle.parameters)
  callable(handle.read, 'read')
  for (const name of ['write', 'underWay', 'makeSafe', 'emergencyStop']) ifThere(handle[name], () => callable(handle[name], name))
  callable(Reflect.get(handle, Symbol.asyncDispose), '[Symbol.asyncDispose]')
  const names = parameters.map(({ name }) => name)
  for (const [facet, { functions, holding, optional = [] }] of Object.entries(FACETS))
    ifThere(handle[facet], () => {
      const fields = fieldsOf(handle[facet], facet)
      for (const name of functions) callable(fields[name], `${facet}.${name}`)
      for (const name of holding) oneOf(fields[name], `${facet}.${name}`, names)
      for (const name of optional) ifThere(fields[name], () => oneOf(fields[name], `${facet}.${name}`, names))
    })
  ifThere(handle.motion, () => checkMotion(fieldsOf(handle.motion, 'motion')))
  ifThere(handle.commands, () => checkCommands(fieldsOf(handle.commands, 'commands')))
}

/** What each facet must have: functions, and properties that hold a parameter's name. */
const FACETS: Readonly<Record<string, { readonly functions: readonly string[]; readonly holding: readonly string[]; readonly optional?: readonly string[] }>> =
  {
    motion: { functions: ['limits', 'moveTo', 'home', 'isMoving', 'homed', 'stop'], holding: ['positionParameter'], optional: ['velocityParameter'] },
    readout: { functions: [], holding: ['parameter'] },
    exposure: { functions: [], holding: ['parameter'] },
    shutter: { functions: [], holding: ['parameter'] },
    emission: { functions: [], holding: ['parameter'] },
    wavelength: { functions: [], holding: ['parameter', 'setpointParameter'] },
    trigger: { functions: ['trigger'], holding: [] },
    commands: { functions: ['invoke'], holding: [] },
  }

function checkMotion({ unit, longestMs }: Fields): void {
  checkUnit(unit, 'motion.unit')
  ifThere(longestMs, () => finite(longestMs, 'motion.longestMs'))
}

function checkCommands({ specs }: Fields): void {
  for (const [at, item] of listOf(specs, 'commands.specs', MOST_COMMANDS).entries()) {
    const place = `commands.specs[${at}]`
    const spec = fieldsOf(item, place)
    for (const name of ['name', 'description']) text(spec[name], `${place}.${name}`)
    ifThere(spec.longestMs, () => finite(spec.longestMs, `${place}.longestMs`))
    for (const [index, argument] of listOf(spec.arguments, `${place}.arguments`, MOST_COMMANDS).entries())
      checkQuantity(argument, `${place}.arguments[${index}]`)
  }
}

/** Throws InvalidValue that names the place. */
export function checkParameters(value: unknown): readonly ParameterSpec[] {
  const seen = new Set<unknown>()
  const parameters = listOf(value, 'parameters', MOST_PARAMETERS)
  for (const [at, item] of parameters.entries()) {
    const place = `parameters[${at}]`
    const parameter = checkQuantity(item, place)
    if (seen.has(parameter.name)) refuse(`${place}.name`, parameter.name, 'a name stands for one parameter only')
    seen.add(parameter.name)
    if (typeof parameter.description !== 'string') refuse(`${place}.description`, parameter.description, 'give a text')
    oneOf(parameter.access, `${place}.access`, ACCESSES)
    for (const name of ['step', 'deadband', 'pollMs', 'busyPollMs']) ifThere(parameter[name], () => finite(parameter[name], `${place}.${name}`))
  }
  return parameters as readonly ParameterSpec[]
}

import { builder } from '../builder.ts'
import { connectDevice, disconnectDevice, registerDevice, removeDevice } from '../device-registry.ts'
import { DeviceRef } from '../refs.ts'
import { answer, resultUnion } from './problem.ts'
import { NamedValueInputRef } from './value-input.ts'

const DeviceResult = resultUnion('DeviceResult', DeviceRef, [
  'INVALID_VALUE',
  'NOT_FOUND',
  'NOT_SUPPORTED',
  'DEVICE_OFFLINE',
  'STATION_OFFLINE',
  'DEVICE_BUSY',
  'EMERGENCY_STOPPED',
  'DEADLINE_EXCEEDED',
  'CONFLICT',
  'FORBIDDEN',
  'HARDWARE_FAULT',
])

const RegisterDeviceInputRef = builder.inputType('RegisterDeviceInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    label: t.string(),
    driver: t.string({ required: true }),
    stationId: t.id({ required: true }),
    settings: t.field({ type: [NamedValueInputRef] }),
  }),
})

builder.mutationFields((t) => {
  const args = { id: t.arg.id({ required: true }) }
  return {
    registerDevice: t.field({
      type: DeviceResult,
      description: 'The station checks the settings by the rules of the driver, then connects.',
      args: { input: t.arg({ type: RegisterDeviceInputRef, required: true }) },
      resolve: (_root, { input }, context) => answer(() => registerDevice(input, context)),
    }),
    removeDevice: t.field({
      type: DeviceResult,
      description: 'Its name is free again; its history and its recordings stay.',
      args,
      resolve: (_root, { id }, context) => answer(() => removeDevice(id, context)),
    }),
    connectDevice: t.field({
      type: DeviceResult,
      description: 'Answers when it is connected. From then on the station keeps it connected.',
      args,
      resolve: (_root, { id }, context) => answer(() => connectDevice(id, context)),
    }),
    disconnectDevice: t.field({
      type: DeviceResult,
      description: 'The station leaves it alone until it is connected again, also after a restart.',
      args,
      resolve: (_root, { id }, context) => answer(() => disconnectDevice(id, context)),
    }),
  }
})

import type { MotionState } from '../../core/device.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { parameterOf } from '../parameters.ts'
import { ParameterRef, type ParameterSource, ReadingRef } from '../refs.ts'
import { currentReading, readingOf, unitArg } from './reading.ts'

type MotionSource = {
  readonly state: MotionState
  readonly online: boolean
  readonly position: ParameterSource | undefined
  readonly velocity: ParameterSource | undefined
}

export const MotionRef = builder.objectRef<MotionSource>('Motion').implement({
  fields: (t) => ({
    parameter: t.field({ type: ParameterRef, nullable: true, description: 'The one that holds the position.', resolve: ({ position }) => position ?? null }),
    position: t.field({ type: ReadingRef, nullable: true, args: unitArg, resolve: ({ position }, { unit }, context) => readingOf(position, unit, context) }),
    setpoint: t.field({
      type: ReadingRef,
      nullable: true,
      args: unitArg,
      resolve: ({ position }, { unit }, context) => (position === undefined ? null : currentReading(position, 'setpoint', unit, context)),
    }),
    moving: t.boolean({ nullable: true, description: 'null while nobody can say.', resolve: ({ state, online }) => (online ? (state.moving ?? null) : null) }),
    homed: t.boolean({ nullable: true, resolve: ({ state, online }) => (online ? (state.homed ?? null) : null) }),
    unit: t.string({ nullable: true, resolve: ({ state }) => state.unit }),
    minimum: t.float({ nullable: true, resolve: ({ state }) => state.minimum ?? null }),
    maximum: t.float({ nullable: true, resolve: ({ state }) => state.maximum ?? null }),
    velocity: t.field({ type: ReadingRef, nullable: true, resolve: ({ velocity }, _args, context) => readingOf(velocity, null, context) }),
  }),
})

export async function motionOf(device: Device, context: Context): Promise<MotionSource | null> {
  const state = context.stations.device(device)?.motion
  if (state === undefined) return null
  const velocity = state.velocityParameter
  return {
    state,
    online: context.stations.find(device.stationId)?.online ?? false,
    position: await parameterOf(device, state.positionParameter, context),
    velocity: velocity === undefined ? undefined : await parameterOf(device, velocity, context),
  }
}

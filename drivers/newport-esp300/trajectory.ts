/** Trapezoidal motion in closed form, in seconds and the axis' units: what a stage does between two commands. */
export type Trajectory = {
  at(seconds: number): { readonly position: number; readonly velocity: number }
  readonly durationSeconds: number
  readonly end: number
}

export type Ramps = { readonly velocity: number; readonly acceleration: number; readonly deceleration: number }

/** From rest to rest; a triangle when the way is too short to reach the velocity. */
export function moveBetween(from: number, to: number, ramps: Ramps): Trajectory {
  const distance = Math.abs(to - from)
  const direction = Math.sign(to - from)
  const { acceleration, deceleration } = ramps
  const peak = Math.min(ramps.velocity, Math.sqrt((2 * distance * acceleration * deceleration) / (acceleration + deceleration)))
  const upSeconds = peak / acceleration
  const downSeconds = peak / deceleration
  const cruise = distance - (peak * (upSeconds + downSeconds)) / 2
  const cruiseSeconds = peak > 0 ? Math.max(0, cruise) / peak : 0
  const durationSeconds = upSeconds + cruiseSeconds + downSeconds
  return {
    end: to,
    durationSeconds,
    at: (seconds) => {
      if (seconds >= durationSeconds) return { position: to, velocity: 0 }
      if (seconds <= 0) return { position: from, velocity: 0 }
      if (seconds < upSeconds) return { position: from + (direction * acceleration * seconds * seconds) / 2, velocity: direction * acceleration * seconds }
      if (seconds < upSeconds + cruiseSeconds)
        return { position: from + direction * ((peak * upSeconds) / 2 + peak * (seconds - upSeconds)), velocity: direction * peak }
      const left = durationSeconds - seconds
      return { position: to - (direction * deceleration * left * left) / 2, velocity: direction * deceleration * left }
    },
  }
}

/** From a velocity to rest. */
export function brake(from: number, velocity: number, deceleration: number): Trajectory {
  const direction = Math.sign(velocity)
  const durationSeconds = Math.abs(velocity) / deceleration
  const end = from + (velocity * durationSeconds) / 2
  return {
    end,
    durationSeconds,
    at: (seconds) => {
      if (seconds >= durationSeconds) return { position: end, velocity: 0 }
      const left = durationSeconds - Math.max(0, seconds)
      return { position: end - (direction * deceleration * left * left) / 2, velocity: direction * deceleration * left }
    },
  }
}

/** One after the other, each from where the one before it ends. */
export function inSequence(first: Trajectory, ...rest: readonly Trajectory[]): Trajectory {
  return rest.reduce(
    (before, after) => ({
      end: after.end,
      durationSeconds: before.durationSeconds + after.durationSeconds,
      at: (seconds) => (seconds < before.durationSeconds ? before.at(seconds) : after.at(seconds - before.durationSeconds)),
    }),
    first,
  )
}

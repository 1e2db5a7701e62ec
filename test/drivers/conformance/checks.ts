import type { Check, FaultCheck } from './check.ts'
import { commands } from './commands.ts'
import { connection, lostConnection } from './connection.ts'
import { description } from './description.ts'
import { discovery } from './discovery.ts'
import { errors } from './errors.ts'
import { faults, mute, storm } from './faults.ts'
import { emergencyStop, motion } from './motion.ts'
import { faultySets, sets } from './sets.ts'

/** What every instrument must do, simulated or real. */
export const CHECKS: readonly Check[] = [...description, ...connection, ...discovery, ...sets, ...motion, ...commands]

/** And what it must do when things go wrong. */
export const FAULT_CHECKS: readonly FaultCheck[] = [...lostConnection, ...faults, mute, storm, ...faultySets, ...errors, ...emergencyStop]

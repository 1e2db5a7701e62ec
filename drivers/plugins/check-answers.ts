import { HardwareFault } from '../../core/errors.ts'
import { type Fields, fieldsOf, finite, ifThere, shown } from './shape.ts'

type Check = (answer: unknown) => unknown

/** What functions of a plugin's device and of its facets answered, by their name, where a wrong answer would be taken for a good one. */
export const ANSWERS: Readonly<Record<string, Check>> = {
  isMoving: async (answer) => flag('isMoving', await answer),
  underWay: async (answer) => flag('underWay', await answer),
  limits: (answer) => limits(answer),
  emergencyStop: async (answer) => stopped(await answer),
}

/** Nothing is not "it stands". */
function flag(name: string, answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw new HardwareFault(`${name} of the driver answered ${answer === undefined ? 'nothing' : shown(answer)} in place of true or false`, 'NONE')
}

/** No position is beyond a limit that is no number. */
function limits(answer: unknown): Fields {
  const given = fieldsOf(answer, 'what limits() answered')
  for (const name of ['minimum', 'maximum']) ifThere(given[name], () => finite(given[name], `${name} of what limits() answered`))
  return given
}

/** It came back, so the stop is on its way; who gives no promise has confirmed nothing. */
function stopped(answer: unknown): { readonly confirmed: Promise<boolean> } {
  const confirmed = typeof answer === 'object' && answer !== null && 'confirmed' in answer ? answer.confirmed : false
  return { confirmed: Promise.resolve(confirmed).then((stands) => stands === true) }
}

import { InvalidValue, NotFound } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import { COMEDI_REFERENCES, type ComediRange } from '../../native/types.ts'
import { type Layout, referencesOf, startChoices } from './parameters.ts'
import { NOW, rangeName } from './protocol.ts'

/** Indices: of the subdevice's ranges, of COMEDI_REFERENCES. */
export type InputSettings = { readonly range: number; readonly reference: number }

/** How each analog input is measured, and what a recording of them waits for. Kept here: the board is told with each reading. */
export class InputTable {
  readonly #layout: Layout
  readonly #inputs: InputSettings[]
  #start = NOW

  constructor(layout: Layout, first: InputSettings) {
    this.#layout = layout
    const ground = COMEDI_REFERENCES.indexOf('GROUND')
    this.#inputs = Array.from({ length: layout.inputs.channels }, (_, channel) => {
      const possible = referencesOf(layout.inputs, channel).some((name) => name === COMEDI_REFERENCES[first.reference])
      return { range: first.range, reference: possible ? first.reference : ground }
    })
  }

  get start(): string {
    return this.#start
  }

  setStart(value: ParameterValue): ParameterValue {
    const chosen = startChoices(this.#layout).find((choice) => choice === value)
    if (chosen === undefined) throw new InvalidValue(`start_trigger cannot be set to ${String(value)}`, ['start_trigger'])
    this.#start = chosen
    return chosen
  }

  settings(channel: number): InputSettings {
    const input = this.#inputs[channel]
    if (input === undefined) throw new NotFound(`analog input ${channel}`)
    return input
  }

  range(channel: number): ComediRange {
    const { range } = this.settings(channel)
    const span = this.#layout.inputs.ranges[range]
    if (span === undefined) throw new NotFound(`range ${range}`)
    return span
  }

  text(channel: number, of: 'range' | 'reference'): string {
    return of === 'range' ? rangeName(this.range(channel)) : (COMEDI_REFERENCES[this.settings(channel).reference] ?? '')
  }

  set(channel: number, of: 'range' | 'reference', value: ParameterValue): ParameterValue {
    const before = this.settings(channel)
    const names: readonly ParameterValue[] = of === 'range' ? this.#layout.inputs.ranges.map(rangeName) : COMEDI_REFERENCES
    const index = names.indexOf(value)
    if (index < 0) throw new InvalidValue(`ach${channel}_${of} cannot be set to ${String(value)}`, [`ach${channel}_${of}`])
    this.#inputs[channel] = { ...before, [of]: index }
    return value
  }
}

type DeviceShape<P> = {
  readonly capabilities: readonly string[]
  readonly readout: { readonly parameter: { readonly id: string } } | null
  readonly parameters: readonly P[]
}

const POSITION = 'position' // what every movable device calls where it is

/** The quantity that a device stands for: the position of what moves, the reading of what measures. */
export function mainParameter<P extends { readonly id: string; readonly name: string }>(device: DeviceShape<P>): P | undefined {
  const position = device.capabilities.includes('MOVABLE') ? device.parameters.find((parameter) => parameter.name === POSITION) : undefined
  return position ?? device.parameters.find((parameter) => parameter.id === device.readout?.parameter.id)
}

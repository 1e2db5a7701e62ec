type DeviceShape<P> = {
  readonly motion: { readonly parameter: { readonly id: string } | null } | null
  readonly readout: { readonly parameter: { readonly id: string } } | null
  readonly parameters: readonly P[]
}

/** The quantity that a device stands for: the position of what moves, the reading of what measures. */
export function mainParameter<P extends { readonly id: string }>({ motion, readout, parameters }: DeviceShape<P>): P | undefined {
  const main = motion?.parameter?.id ?? readout?.parameter.id
  return parameters.find((parameter) => parameter.id === main)
}

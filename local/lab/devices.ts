import type { DeviceSettings } from '../../core/device.ts'

export type SimulatedDevice = { readonly name: string; readonly label: string; readonly driverId: string; readonly settings: DeviceSettings }

const stage = (name: string, axis: number): SimulatedDevice => ({
  name: `stage-${name}`,
  label: `Stage ${name.toUpperCase()}`,
  driverId: 'newport-esp300',
  settings: { address: 'sim://esp300', axis, flowControl: 'none' },
})

/** What a new installation registers when it starts with the simulated lab. */
export const SIMULATED_DEVICES: readonly SimulatedDevice[] = [
  stage('x', 1),
  stage('y', 2),
  stage('z', 3),
  { name: 'power-meter', label: 'Power meter', driverId: 'newport-1830c', settings: { address: 'sim://power-meter' } },
  { name: 'saw', label: 'Band saw', driverId: 'smart-saw', settings: { address: 'sim://saw' } },
  { name: 'camera', label: 'Camera', driverId: 'pvcam-camera', settings: { address: 'sim://pvcam' } },
]

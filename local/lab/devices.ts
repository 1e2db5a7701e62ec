import type { DeviceSettings } from '../../core/device.ts'

export type SimulatedDevice = { readonly name: string; readonly label: string; readonly driverId: string; readonly settings: DeviceSettings }

const stage = (name: string, axis: number): SimulatedDevice => ({
  name: `stage-${name}`,
  label: `Stage ${name.toUpperCase()}`,
  driverId: 'newport-esp300',
  settings: { address: 'sim://esp300', axis, flowControl: 'none' },
})

const mount = (name: string, label: string, busAddress: string): SimulatedDevice => ({
  name,
  label,
  driverId: 'thorlabs-ell14',
  settings: { address: 'sim://mounts', busAddress },
})

/** What a new installation registers when it starts with the simulated lab. */
export const SIMULATED_DEVICES: readonly SimulatedDevice[] = [
  stage('x', 1),
  stage('y', 2),
  stage('z', 3),
  { name: 'power-meter', label: 'Power meter', driverId: 'newport-1830c', settings: { address: 'sim://power-meter' } },
  { name: 'saw', label: 'Band saw', driverId: 'smart-saw', settings: { address: 'sim://saw' } },
  { name: 'camera', label: 'Camera', driverId: 'pvcam-camera', settings: { address: 'sim://pvcam' } },
  { name: 'laser', label: 'Ti:sapphire laser', driverId: 'spectra-physics-maitai', settings: { address: 'sim://laser', link: 'usb' } },
  mount('half-wave-plate', 'Half-wave plate', '2'),
  mount('polariser', 'Polariser', '3'),
  mount('quarter-wave-plate', 'Quarter-wave plate', '8'),
  {
    name: 'dome',
    label: 'Dome',
    driverId: 'dome-rotator',
    settings: {
      address: 'sim://dome',
      encoder: 'sim://dome-encoder',
      recalibrationSwitch: 'sim://dome-switch',
      switchLine: 27,
      startAzimuth: 40, // where the simulated one is parked
    },
  },
  { name: 'daq', label: 'Data acquisition board', driverId: 'ni-comedi', settings: { address: 'sim://daq', outputLines: '0, 1' } },
  { name: 'multimeter', label: 'Multimeter', driverId: 'keysight-34461a', settings: { address: 'sim://multimeter' } },
  { name: 'supply', label: 'Power supply, output 1', driverId: 'keysight-e36312a', settings: { address: 'sim://supply', output: '1' } },
  { name: 'cryostat', label: 'Cryostat', driverId: 'lakeshore-336', settings: { address: 'sim://cryostat' } },
]

import { expect, test } from 'vitest'
import { DRIVERS } from '../../../drivers/catalog.ts'
import { rustDaqHardware } from '../../../storage/importers/rust-daq-hardware.ts'
import { checkDevice, describeDevice } from '../../../workers/imports/devices.ts'
import { importFile, temporaryFolder } from '../../storage/importers/fixtures.ts'

const LAB = `
[[devices]]
id = "camera"
[devices.driver]
type = "pvcam"
camera_name = "PMUSBCam00"
[[devices]]
id = "rotator_a"
[devices.driver]
type = "ell14"
port = "/dev/ttyUSB1"
address = "a"
[[devices]]
id = "laser"
[devices.driver]
type = "mai_tai"
port = "/dev/ttyUSB5"
[[devices]]
id = "meter"
[devices.driver]
type = "newport1830_c"
port = "/dev/ttyS0"
[[devices]]
id = "stage"
[devices.driver]
type = "esp300"
port = "/dev/ttyUSB0"
axis = 3
baud_rate = 19200
[[devices]]
id = "stage 4"
[devices.driver]
type = "esp300"
port = "/dev/ttyUSB0"
axis = 4
`

test('every driver of theirs that has one here is found right by it, or the reason is told with its line', async () => {
  await using folder = await temporaryFolder()
  const { devices } = await rustDaqHardware.read(await importFile(folder.path, 'lab.toml', LAB))
  const checked = devices.map((device) => checkDevice(device, DRIVERS))
  expect(checked.map((one) => ('address' in one ? [one.proposed.driverId, one.address, one.subAddress, one.portKind] : one.problem))).toEqual([
    ['pvcam-camera', expect.stringContaining('pvcam:///'), 'PMUSBCam00', 'NATIVE'],
    ['thorlabs-ell14', 'serial:///dev/ttyUSB1', 'A', 'SERIAL'],
    ['spectra-physics-maitai', 'serial:///dev/ttyUSB5', undefined, 'SERIAL'],
    ['newport-1830c', 'serial:///dev/ttyS0', undefined, 'SERIAL'],
    ['newport-esp300', 'serial:///dev/ttyUSB0', '3', 'SERIAL'],
    expect.stringContaining('is not allowed as a name'),
  ])
  const renamed = checkDevice({ ...(devices[5] ?? { where: '', name: '', driverId: '', settings: {}, warnings: [] }), name: 'stage_4' }, DRIVERS)
  expect(describeDevice(renamed)[0]).toMatch(/^line 30: stage_4 as newport-esp300 .* cannot be registered: axis: 4 is not allowed; choose one of 1, 2, 3/)
  expect(checkDevice({ where: 'line 1', name: 'x', driverId: 'none', settings: {}, warnings: [] }, DRIVERS)).toMatchObject({
    problem: 'there is no driver none here',
  })
})

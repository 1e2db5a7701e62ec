/** The scan form as a person fills it in, and the RunInput that it stands for. */

/** The role of a device in a run is its own name: what a run's summary and its columns then say is what people call the instruments. */
export type NamedDevice = { readonly id: string; readonly name: string }

export type PlanKind = 'linearScan' | 'count' | 'record'

/** Something that can be scanned: a movable device (no parameter: its position), or any settable number. */
export type Scannable = {
  readonly key: string
  readonly device: NamedDevice
  readonly parameter?: string
  readonly title: string
  readonly unit?: string
  readonly minimum?: number
  readonly maximum?: number
}

const LENGTH = /^[kdcmunp]?m$|^\[(in|mil)_i\]$/ // as UCUM codes

/** What is scanned until a person says otherwise: a linear stage, or else the first. A dome that turns is nobody's first scan. */
export function likelyAxis(scannables: readonly Scannable[]): Scannable | undefined {
  return scannables.find(({ parameter, unit }) => parameter === undefined && unit !== undefined && LENGTH.test(unit)) ?? scannables[0]
}

export type ScanForm = {
  readonly kind: PlanKind
  readonly axis: Scannable | undefined
  readonly detectors: readonly NamedDevice[]
  readonly start: number | undefined
  readonly stop: number | undefined
  readonly points: number | undefined
  readonly delaySeconds: number | undefined
  readonly dwellSeconds: number | undefined
  readonly returnAfter: boolean
  readonly frames: number | undefined
  readonly sessionId: string | undefined
}

type Detector = { role: string }
export type RunInput = {
  sessionId?: string
  idempotencyKey: string
  bindings: { role: string; deviceId: string }[]
  plan:
    | {
        linearScan: {
          axes: { role: string; parameter?: string; start: number; stop: number; unit?: string }[]
          num: number
          detectors: Detector[]
          settle?: { dwellSeconds: number }
          after: 'STAY' | 'RETURN'
        }
      }
    | { count: { detectors: Detector[]; num: number; delaySeconds?: number } }
    | { record: { detectors: Detector[]; frames: number } }
}

/** What is still missing, in words; or the input. What is allowed is the server's to say. */
export function toRunInput(form: ScanForm, idempotencyKey: string): RunInput | { missing: string } {
  if (form.detectors.length === 0) return { missing: form.kind === 'record' ? 'Choose a camera to record.' : 'Choose at least one detector.' }
  const detectors = form.detectors.map(({ name }) => ({ role: name }))
  const head = { ...(form.sessionId !== undefined && { sessionId: form.sessionId }), idempotencyKey }
  switch (form.kind) {
    case 'linearScan': {
      const { axis, start, stop, points } = form
      if (axis === undefined) return { missing: 'Choose what is scanned.' }
      if (start === undefined || stop === undefined) return { missing: 'Give the start and the end of the scan.' }
      if (!isCount(points)) return { missing: 'Give the number of points.' }
      return {
        ...head,
        bindings: bindingsOf([axis.device, ...form.detectors]),
        plan: {
          linearScan: {
            axes: [
              {
                role: axis.device.name,
                start,
                stop,
                ...(axis.parameter !== undefined && { parameter: axis.parameter }),
                ...(axis.unit !== undefined && { unit: axis.unit }),
              },
            ],
            num: points,
            detectors,
            ...(form.dwellSeconds !== undefined && form.dwellSeconds > 0 && { settle: { dwellSeconds: form.dwellSeconds } }),
            after: form.returnAfter ? 'RETURN' : 'STAY',
          },
        },
      }
    }
    case 'count':
      if (!isCount(form.points)) return { missing: 'Give the number of readings.' }
      return {
        ...head,
        bindings: bindingsOf(form.detectors),
        plan: { count: { detectors, num: form.points, ...(form.delaySeconds !== undefined && form.delaySeconds > 0 && { delaySeconds: form.delaySeconds }) } },
      }
    case 'record':
      if (!isCount(form.frames)) return { missing: 'Give the number of frames.' }
      return { ...head, bindings: bindingsOf(form.detectors), plan: { record: { detectors, frames: form.frames } } }
  }
}

/** A device that is both scanned and read has one role. */
function bindingsOf(devices: readonly NamedDevice[]): RunInput['bindings'] {
  return [...new Map(devices.map(({ id, name }) => [name, { role: name, deviceId: id }])).values()]
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value > 0
}

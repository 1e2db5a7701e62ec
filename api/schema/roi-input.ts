import { builder } from '../builder.ts'

export const RoiInputRef = builder.inputType('RoiInput', {
  description: 'A rectangle, in pixels from the top left. Of a camera: of its sensor. Of what was recorded: of the frames as they are.',
  fields: (t) => ({ x: t.int({ required: true }), y: t.int({ required: true }), width: t.int({ required: true }), height: t.int({ required: true }) }),
})

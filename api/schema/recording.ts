import { InvalidValue } from '../../core/errors.ts'
import { PNG_COLORMAPS } from '../../storage/png.ts'
import type { FrameRange } from '../../storage/roi-series.ts'
import { builder } from '../builder.ts'
import { connectionRef, pageArgs, pageCost } from '../connection.ts'
import { frameSeriesUrl, frameUrl, pngFrameUrl, sliceUrl } from '../file-urls.ts'
import { checkFrames, type FrameCheck, type FrameSource, frameAt, frameSeriesOf, framesOf, type SliceSource, sliceAt } from '../recordings.ts'
import { DatasetRef } from '../refs.ts'
import { ColumnSeriesRef, RowRangeRef } from './dataset.ts'
import { RoiInputRef } from './roi-input.ts'

/** What a dataset of frames has beside the fields of every dataset. Pixels never travel as JSON: there are addresses. */

const FrameRefRef = builder.objectRef<FrameSource>('FrameRef').implement({
  fields: (t) => ({
    index: t.field({ type: 'SafeInt', resolve: ({ index }) => index }),
    sequence: t.field({ type: 'SafeInt', resolve: ({ sequence }) => sequence }),
    time: t.field({ type: 'Time', resolve: ({ time }) => time }),
    width: t.exposeInt('width'),
    height: t.exposeInt('height'),
    dtype: t.exposeString('dtype'),
    rawUrl: t.string({
      description: 'The pixels alone: rows from the top, little-endian.',
      resolve: ({ datasetId, index }) => frameUrl(datasetId, index, 'raw'),
    }),
    npyUrl: t.string({
      description: 'The same as a file of NumPy: np.load(io.BytesIO(bytes)) is the frame.',
      resolve: ({ datasetId, index }) => frameUrl(datasetId, index, 'npy'),
    }),
    pngUrl: t.string({
      description: 'minimum gets the first colour and maximum the last, by default the extremes of the frame. gray16: the values themselves, 16 bit.',
      args: {
        colormap: t.arg.string({ defaultValue: 'gray', description: PNG_COLORMAPS.join(', ') }),
        minimum: t.arg.float(),
        maximum: t.arg.float(),
        maxSide: t.arg.int({ description: 'Neither side is longer: squares of pixels become their mean.' }),
      },
      resolve: ({ datasetId, index }, { colormap, minimum, maximum, maxSide }) => {
        const known = PNG_COLORMAPS.find((name) => name === (colormap ?? 'gray'))
        if (known === undefined) throw new InvalidValue(`colormap: ${colormap} is not known; there are ${PNG_COLORMAPS.join(', ')}`, ['colormap'])
        return pngFrameUrl(datasetId, index, {
          ...(known !== 'gray' && { colormap: known }),
          minimum: minimum ?? undefined,
          maximum: maximum ?? undefined,
          maxSide: maxSide ?? undefined,
        })
      },
    }),
  }),
})
const FrameRefConnectionRef = connectionRef('FrameRef', FrameRefRef, { counted: true })

const FrameSliceRef = builder.objectRef<SliceSource>('FrameSlice').implement({
  description: 'A block out of a recording. It streams, however large it is; a broken download of npyUrl goes on with Range.',
  fields: (t) => ({
    shape: t.field({ type: ['SafeInt'], description: '[frames, height, width]', resolve: ({ shape }) => shape }),
    dtype: t.string({ resolve: () => 'uint16' }),
    bytes: t.field({ type: 'SafeInt', description: 'Of the pixels.', resolve: ({ bytes }) => bytes }),
    npyUrl: t.string({ description: 'A file of NumPy.', resolve: (slice) => sliceUrl(slice.datasetId, 'npy', slice) }),
    arrowUrl: t.string({
      description: 'An Arrow IPC stream: the columns of each frame, and its pixels as a tensor of fixed shape.',
      resolve: (slice) => sliceUrl(slice.datasetId, 'arrow', slice),
    }),
  }),
})

const FrameCheckRef = builder.objectRef<FrameCheck>('FrameCheck').implement({
  description: 'How many frames fit into the time of an answer, and what was wrong with them. Go on with from: to while it is not complete.',
  fields: (t) => ({
    from: t.field({ type: 'SafeInt', resolve: ({ from }) => from }),
    to: t.field({ type: 'SafeInt', description: 'The first frame that was not looked at.', resolve: ({ to }) => to }),
    complete: t.exposeBoolean('complete'),
    damaged: t.field({ type: ['SafeInt'], description: 'Frames that are not what was recorded.', resolve: ({ damaged }) => damaged }),
    unknown: t.field({ type: 'SafeInt', description: 'Frames whose checksum nobody has kept.', resolve: ({ unknown }) => unknown }),
  }),
})

const FrameReductionEnum = builder.enumType('FrameReduction', { values: ['MEAN', 'SUM', 'MIN', 'MAX'] as const })
const FrameSeriesFormatEnum = builder.enumType('FrameSeriesFormat', {
  values: {
    CSV: { value: 'csv' as const },
    ARROW: { value: 'arrow' as const, description: 'An Arrow IPC stream.' },
    NPY: { value: 'npy' as const, description: 'A file of NumPy, [frames, 4]: minimum, maximum, mean, sum. With ranges.' },
  },
})
const DEFAULT_POINTS = 2_000
const SERIES_COST = { field: 500, multiplier: 1 } // it may read from every frame of a recording
const DEFAULT_FRAMES = 20

type Given<Value> = Value | null | undefined
type RangeGiven = { readonly range?: Given<{ readonly from?: Given<number>; readonly to?: Given<number> }>; readonly step?: Given<number> }

function rangeOf({ range, step }: RangeGiven): FrameRange {
  return { from: range?.from ?? undefined, to: range?.to ?? undefined, step: step ?? undefined }
}

builder.objectFields(DatasetRef, (t) => {
  const part = {
    roi: t.arg({ type: RoiInputRef, description: 'In pixels of the frames as they were recorded; absent: the whole frame.' }),
    range: t.arg({ type: RowRangeRef }),
    step: t.arg.int({ defaultValue: 1, description: 'Only every so many-th frame.' }),
  }
  return {
    frame: t.field({
      type: FrameRefRef,
      nullable: true,
      args: { index: t.arg({ type: 'SafeInt', required: true }) },
      complexity: 20,
      resolve: (dataset, { index }, context) => frameAt(dataset, index, context),
    }),
    frames: t.field({
      type: FrameRefConnectionRef,
      args: pageArgs(DEFAULT_FRAMES),
      complexity: pageCost,
      resolve: (dataset, args, context) => framesOf(dataset, args, context),
    }),
    frameSeries: t.field({
      type: ColumnSeriesRef,
      description: 'One number per frame: mean, sum, minimum or maximum of a region. Of more than maxPoints the extremes of each bucket.',
      args: {
        ...part,
        reduce: t.arg({ type: FrameReductionEnum, defaultValue: 'MEAN' }),
        maxPoints: t.arg.int({ defaultValue: DEFAULT_POINTS }),
        x: t.arg.string({ description: 'The column that gives x, such as time (in seconds since 1970); without it the number of the frame.' }),
      },
      complexity: SERIES_COST,
      resolve: (dataset, { roi, reduce, maxPoints, x, ...given }, context) =>
        frameSeriesOf(
          dataset,
          { roi: roi ?? undefined, reduce: reduce ?? 'MEAN', range: rangeOf(given), x: x ?? undefined, maxPoints: maxPoints ?? DEFAULT_POINTS },
          context,
        ),
    }),
    frameSeriesUrl: t.string({
      description: 'Minimum, maximum, mean and sum of the region in every frame, with its sequence and time: as long as the recording.',
      args: { ...part, format: t.arg({ type: FrameSeriesFormatEnum, defaultValue: 'csv' }) },
      resolve: ({ id }, { roi, format, ...given }) => frameSeriesUrl(id, format ?? 'csv', roi ?? undefined, rangeOf(given)),
    }),
    slice: t.field({
      type: FrameSliceRef,
      args: { ...part, bin: t.arg.int({ defaultValue: 1, description: 'Squares of so many pixels become their mean.' }) },
      complexity: 20,
      resolve: (dataset, { roi, bin, ...given }, context) => sliceAt(dataset, { ...rangeOf(given), roi: roi ?? undefined, bin: bin ?? undefined }, context),
    }),
    checkFrames: t.field({
      type: FrameCheckRef,
      description: 'Compares frames with the checksums that were taken while they were recorded.',
      args: { range: t.arg({ type: RowRangeRef }) },
      complexity: SERIES_COST,
      resolve: (dataset, { range }, context) => checkFrames(dataset, rangeOf({ range }), context),
    }),
  }
})

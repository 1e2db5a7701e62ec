import { builder } from '../builder.ts'
import { after, connectionRef, idCursor, pageArgs, pageCost, pageOf } from '../connection.ts'
import { localId } from '../global-id.ts'
import { NodeRef, PresetRef } from '../refs.ts'
import { entriesOf, savePreset } from '../states/preset.ts'
import { ManifestEntryRef } from './manifest.ts'
import { answer, resultUnion } from './problem.ts'
import { ParameterDifferenceRef, stateDifferences } from './state-diff.ts'
import { StateRefRef } from './state-ref.ts'
import { ValueInputRef } from './value-input.ts'

PresetRef.implement({
  description: 'Settings under a name.',
  interfaces: [NodeRef],
  fields: (t) => ({
    name: t.exposeString('name'),
    description: t.exposeString('description', { nullable: true }),
    author: t.exposeString('author', { description: 'Who saved this version.' }),
    createdAt: t.field({ type: 'Time', description: 'When this version was saved.', resolve: ({ createdAt }) => createdAt }),
    version: t.exposeInt('version'),
    entries: t.field({ type: [ManifestEntryRef], complexity: { field: 1, multiplier: 20 }, resolve: (preset) => entriesOf(preset) }),
  }),
})
const PresetConnectionRef = connectionRef('Preset', PresetRef)

builder.queryFields((t) => ({
  preset: t.field({
    type: PresetRef,
    nullable: true,
    args: { id: t.arg.id(), name: t.arg.string() },
    resolve: async (_root, { id, name }, { load, database: { prisma } }) => {
      if (id != null) return (await load.preset.load(localId('Preset', id))) ?? null
      return name == null ? null : prisma.preset.findUnique({ where: { name } })
    },
  }),
  presets: t.field({
    type: PresetConnectionRef,
    args: pageArgs(),
    complexity: pageCost,
    resolve: (_root, args, { database: { prisma } }) =>
      pageOf(args, (take) => prisma.preset.findMany({ orderBy: [{ name: 'asc' }], take, ...after(args) }), idCursor),
  }),
  presetDiff: t.field({
    type: [ParameterDifferenceRef],
    description: 'From the preset to the state given, in what the preset holds.',
    args: { id: t.arg.id({ required: true }), with: t.arg({ type: StateRefRef, required: true }) },
    complexity: { field: 100, multiplier: 20 },
    resolve: (_root, { id, with: other }, context) => stateDifferences({ presetId: id }, other, undefined, context),
  }),
}))

const PresetValueInputRef = builder.inputType('PresetValueInput', {
  fields: (t) => ({
    deviceId: t.id({ required: true }),
    parameter: t.string({ required: true }),
    value: t.field({ type: ValueInputRef, required: true }),
    unit: t.string(),
  }),
})
const SavePresetInputRef = builder.inputType('SavePresetInput', {
  description:
    'deviceIds: what these devices are set to now, positions of axes included; all devices where neither deviceIds nor values are given. values: as given, after ' +
    'the checks of a set. A name that is taken gets its next version for those who give the last one as expectedVersion.',
  fields: (t) => ({
    name: t.string({ required: true }),
    description: t.string(),
    deviceIds: t.idList(),
    values: t.field({ type: [PresetValueInputRef] }),
    expectedVersion: t.int(),
  }),
})
const PresetResult = resultUnion('PresetResult', PresetRef, [
  'INVALID_VALUE',
  'LIMIT_VIOLATION',
  'READ_ONLY',
  'INCOMPATIBLE_UNIT',
  'NOT_FOUND',
  'CONFLICT',
  'FORBIDDEN',
])

builder.mutationField('savePreset', (t) =>
  t.field({
    type: PresetResult,
    args: { input: t.arg({ type: SavePresetInputRef, required: true }) },
    resolve: (_root, { input }, context) => answer(() => savePreset(input, context)),
  }),
)

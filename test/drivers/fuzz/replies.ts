import fc from 'fast-check'

const ANY_BYTE = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte))

/** What a line may bring instead of a reply: anything, and what nearly is one. */
export function anything(captures: readonly string[]): fc.Arbitrary<string> {
  const letters = [...new Set(captures.join(''))]
  return fc.oneof(
    fc.string({ unit: ANY_BYTE, maxLength: 80 }),
    fc.string({ unit: fc.constantFrom(...letters), maxLength: 60 }),
    fc.constantFrom('NaN', 'Infinity', '-Infinity', '1e999', '0x10', '١٢٣', 'constructor', '__proto__', 'toString', '', ' ', '\u0000'),
  )
}

type Mutation = (reply: string) => string

const at = (reply: string, part: number): number => Math.floor(part * (reply.length + 1))
const MUTATION: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), ANY_BYTE).map(
    ([part, byte]): Mutation =>
      (reply) =>
        reply.slice(0, at(reply, part)) + byte + reply.slice(at(reply, part) + 1),
  ),
  fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), ANY_BYTE).map(
    ([part, byte]): Mutation =>
      (reply) =>
        reply.slice(0, at(reply, part)) + byte + reply.slice(at(reply, part)),
  ),
  fc.double({ min: 0, max: 0.999, noNaN: true }).map(
    (part): Mutation =>
      (reply) =>
        reply.slice(0, at(reply, part)) + reply.slice(at(reply, part) + 1),
  ),
  fc.double({ min: 0, max: 0.999, noNaN: true }).map(
    (part): Mutation =>
      (reply) =>
        reply.slice(0, at(reply, part)),
  ),
  fc.double({ min: 0, max: 0.999, noNaN: true }).map(
    (part): Mutation =>
      (reply) =>
        reply.slice(at(reply, part)),
  ),
  fc.constant<Mutation>((reply) => reply + reply),
  fc.constant<Mutation>((reply) => reply.toLowerCase()),
)

/** A true reply that the line has spoilt, once or more. */
export function spoilt(captures: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...captures), fc.array(MUTATION, { minLength: 1, maxLength: 4 }))
    .map(([reply, mutations]) => mutations.reduce((text, mutate) => mutate(text), reply))
}

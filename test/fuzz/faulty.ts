/** Targets with the faults that the fuzzing is to find, each in about one case of a hundred. */
import { canary } from './canary.ts'
import type { Target } from './target.ts'

class Declared extends Error {}

function faulty(fault: () => string | undefined): Target {
  return {
    make: (random) => Buffer.of(random.below(100)),
    read: ([value]) => (value === 7 ? fault() : undefined),
    declared: [Declared],
  }
}

function thrower(error: () => unknown): Target {
  return faulty(() => {
    throw error()
  })
}

const base64 = Buffer.from(`user:${canary}`).toString('base64')

export const targets: Readonly<Record<string, Target>> = {
  'is sound': thrower(() => new Declared('fixed words')),
  'never ends': faulty(() => {
    for (;;);
  }),
  'throws an undeclared error': thrower(() => new TypeError('x')),
  'throws what is no error': thrower(() => 'x'),
  'says that something is wrong': faulty(() => 'something'),
  'quotes a part in its message': thrower(() => new Declared(`near ${canary.slice(3, 11)}`)),
  'quotes base64 in its message': thrower(() => new Declared(base64)),
  'quotes base64url in its message': thrower(
    () => new Declared(Buffer.from(` ${canary}`).toString('base64url').slice(10)),
  ),
  'quotes a URL in its message': thrower(() => new Declared(`?token=${encodeURIComponent(canary)}`)),
  'has a cause that quotes': thrower(() => new Declared('fixed words', { cause: new Error(canary) })),
  'pollutes Object.prototype': faulty(() => {
    Object.assign(Object.prototype, { polluted: true })
    return undefined
  }),
}

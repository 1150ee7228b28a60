/** What the two loops report, as plain values and at random. */
import fc from 'fast-check'
import type { Contended } from '../../src/model/contended.ts'
import { type Outcome, type Problem, tally } from '../../src/model/outcome.ts'
import type { Findings } from '../../src/model/status.ts'
import { credential } from './builders.ts'

/** The version at work in `findings` and `outcome`. */
const version = 2

/** One selected namespace that is up to date, unless told otherwise. */
export function outcome(of: Partial<Outcome> = {}): Outcome {
  return {
    version,
    replaced: version,
    selected: true,
    failure: undefined,
    contended: undefined,
    serviceAccounts: { selected: 1, linked: 1 },
    overlaps: [],
    ...of,
  }
}

/** A credential `a` with these outcomes, by namespace. */
export function findings(outcomes: Record<string, Outcome>, of: Partial<Findings> = {}): Findings {
  return {
    credential: credential('a'),
    problem: undefined,
    refreshFailure: undefined,
    isKnown: true,
    isOutdated: false,
    check: undefined,
    tally: tally(new Map(Object.entries(outcomes)), version),
    stuckPods: undefined,
    material: undefined,
    ...of,
  }
}

const message = fc.constantFrom('It is not there.', '', 'x'.repeat(5000))
const problem: fc.Arbitrary<Problem> = fc.record({ reason: fc.constantFrom('NotOwned', 'Forbidden'), message })
const contended: fc.Arbitrary<Contended> = fc.record({
  kind: fc.constantFrom('ServiceAccount', 'Secret'),
  name: fc.constantFrom('default', 'x'.repeat(253)),
  manager: fc.constantFrom('argocd-controller', undefined),
})
const verdicts = ['Valid', 'Invalid', 'NoPullAccess', 'Unknown'] as const
const outcomes = fc.dictionary(
  fc.constantFrom('team-a', 'team-b', 'team-c'),
  fc.record({
    version: fc.constantFrom(version, version, version - 1),
    replaced: fc.constant(version),
    selected: fc.boolean(),
    failure: fc.option(problem, { nil: undefined, freq: 4 }),
    contended: fc.option(contended, { nil: undefined, freq: 4 }),
    serviceAccounts: fc.constant({ selected: 2, linked: 1 }),
    overlaps: fc.constantFrom([], [], [{ key: 'ghcr.io', winner: 'a', loser: 'b' }]),
  }),
)

export const anyFindings: fc.Arbitrary<Findings> = fc
  .record({
    outcomes,
    problem: fc.option(
      fc.record({ reason: fc.constantFrom('SourceNotFound', 'SourceInvalid'), message, terminal: fc.boolean() }),
      { nil: undefined, freq: 3 },
    ),
    suspend: fc.constantFrom(false, false, false, true),
    deleting: fc.constantFrom(false, false, false, true),
    generation: fc.integer({ min: 1, max: 3 }),
    material: fc.constantFrom<Findings['material']>(undefined, { registries: ['ghcr.io'] }),
    isKnown: fc.constantFrom(true, true, true, false),
    isOutdated: fc.constantFrom(false, false, false, true),
    refreshFailure: fc.option(problem, { nil: undefined, freq: 3 }),
    check: fc.option(fc.constantFrom(...verdicts.map((verdict) => ({ verdict, reason: 'Said', message: '' }))), {
      nil: undefined,
    }),
  })
  .map(({ outcomes: some, suspend, deleting, generation, ...rest }) =>
    findings(some, { ...rest, credential: credential('a', { suspend }, { deleting, generation }) }),
  )

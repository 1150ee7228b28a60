/** What a change of credentials changes in the namespaces: the steps after it that would not be taken without it. */
import type { Entries } from '../../model/docker-config.ts'
import type { Problem } from '../../model/outcome.ts'
import { type LinkStep, type SecretStep, Simulator, type Steps, type World } from './simulate.ts'

/** `take`: it was handed over, and all that somebody else has put into it goes. */
export type SecretAction = 'create' | 'update' | 'take' | 'delete' | 'release'

export interface EntryChange {
  /** Docker config key. */
  key: string
  /** `mayChange`: from the same credential, but perhaps another login. */
  change: 'added' | 'removed' | 'changed' | 'mayChange'
  /** Whose entry it is, or was where it is removed. */
  credential: string
  /** Whose it was before, where another credential gives it now. */
  previous?: string
}

export interface NamespaceDiff {
  namespace: string
  secrets: { name: string; action: SecretAction; entries: readonly EntryChange[] }[]
  serviceAccounts: { name: string; added: readonly string[]; removed: readonly string[]; released: readonly string[] }[]
  /** What will be in the way and is not today, such as a foreign Secret. */
  problems: (Problem & { credential: string })[]
}

export interface Diff {
  /** Those where something changes, by name. */
  namespaces: NamespaceDiff[]
  /** Writes that the operator has still to do as things are, whatever this plan brings. */
  pending: number
}

/** @param before the cluster as it is; `after` as it will be */
export function diffOf(before: World, after: World): Diff {
  const [simulatorBefore, simulatorAfter] = [new Simulator(before), new Simulator(after)]
  const namespacesBefore = new Map(before.namespaces.map((each) => [each.name, each]))
  const namespaces: NamespaceDiff[] = []
  let pending = 0
  for (const namespace of [...after.namespaces].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const was = namespacesBefore.get(namespace.name)
    const now = was && simulatorBefore.steps(was)
    const then = simulatorAfter.steps(namespace, now)
    const { diff, waiting } = compare(now ?? { ...then, secrets: [], links: [], problems: new Map() }, then)
    pending += waiting
    if (diff.secrets.length + diff.serviceAccounts.length + diff.problems.length > 0) namespaces.push(diff)
  }
  return { namespaces, pending }
}

function compare(now: Steps, then: Steps): { diff: NamespaceDiff; waiting: number } {
  const diff: NamespaceDiff = { namespace: then.namespace, secrets: [], serviceAccounts: [], problems: [] }
  let waiting = 0
  for (const step of then.secrets) {
    const action = actionOf(step)
    if (action === undefined) continue
    const before = now.secrets.find(({ name }) => name === step.name)
    if (before && actionOf(before) === action && isSame(before, step)) waiting++
    else diff.secrets.push({ name: step.name, action, entries: entryChanges(before, step) })
  }
  for (const step of then.links) {
    const before = now.links.find(({ serviceAccount }) => serviceAccount === step.serviceAccount)
    const { serviceAccount, ...change } = withoutPending(step, before)
    const count = (each: Omit<LinkStep, 'serviceAccount'>) =>
      each.added.length + each.removed.length + each.released.length
    waiting += count(step) - count(change)
    if (count(change) > 0) diff.serviceAccounts.push({ name: serviceAccount, ...change })
  }
  for (const [credential, problem] of then.problems) {
    if (now.problems.get(credential)?.message !== problem.message) diff.problems.push({ credential, ...problem })
  }
  return { diff, waiting }
}

function actionOf({ change }: SecretStep): SecretAction | undefined {
  switch (change) {
    case 'create':
    case 'update':
    case 'take':
    case 'delete':
    case 'release':
      return change
    default:
      return undefined // it stays as it is; why is a problem, where it is one
  }
}

function isSame(a: SecretStep, b: SecretStep): boolean {
  return JSON.stringify([...(a.entries ?? [])]) === JSON.stringify([...(b.entries ?? [])])
}

function withoutPending(step: LinkStep, before: LinkStep | undefined): LinkStep {
  const news = (what: 'added' | 'removed' | 'released') => step[what].filter((name) => !before?.[what].includes(name))
  return {
    serviceAccount: step.serviceAccount,
    added: news('added'),
    removed: news('removed'),
    released: news('released'),
  }
}

function entryChanges(before: SecretStep | undefined, after: SecretStep): EntryChange[] {
  // What is deleted goes with all that is in it, and what is created has nothing before.
  const had = after.change === 'create' ? none : (before?.entries ?? none)
  const has = after.change === 'release' ? had : (after.entries ?? none)
  return [...new Set([...had.keys(), ...has.keys()])].sort().flatMap((key) => entryChange(key, had, has))
}

const none: Entries = new Map()

function entryChange(key: string, had: Entries, has: Entries): EntryChange[] {
  const [before, after] = [had.get(key), has.get(key)]
  if (after === undefined) return before ? [{ key, change: 'removed', credential: before.username }] : []
  const credential = after.username
  if (before === undefined) return [{ key, change: 'added', credential }]
  if (before.username !== credential) return [{ key, change: 'changed', credential, previous: before.username }]
  return before.password === after.password ? [] : [{ key, change: 'mayChange', credential }]
}

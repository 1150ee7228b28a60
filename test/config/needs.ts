/** The table of what the operator needs of the API server, each with its reason. Everything else is to be refused. */
import { markKeySecret, operatorName, stateSecretPrefix, systemNamespace } from '../../src/api/names.ts'

export interface Need {
  /** '' is the core group. */
  group: string
  /** `pods`, or `pods/eviction`. */
  resource: string
  verbs: readonly string[]
  /** Only in the operator's own namespace. */
  own?: true
  /** Only objects of these names; a list and a watch then need a selector of one of them. */
  names?: readonly string[]
  /** What it does with it. */
  why: string
  /** Why no request of the operator shows it, where that is so. */
  unseen?: string
}

const core = ''
const events = 'events.k8s.io'
const stateSecrets = [...'0123456789abcdef'].map((digit) => stateSecretPrefix + digit)

export const needs: readonly Need[] = [
  { group: 'regcred.dev', resource: 'registrycredentials', verbs: ['list', 'watch'], why: 'its input' },
  { group: 'regcred.dev', resource: 'registrycredentials', verbs: ['patch'], why: 'the finalizer' },
  { group: 'regcred.dev', resource: 'registrycredentials/status', verbs: ['patch'], why: 'the status' },
  { group: core, resource: 'namespaces', verbs: ['list', 'watch'], why: 'which are selected' },
  { group: core, resource: 'serviceaccounts', verbs: ['list', 'watch'], why: 'which lack the reference' },
  { group: core, resource: 'serviceaccounts', verbs: ['patch'], why: 'the reference, within config/guard' },
  { group: core, resource: 'serviceaccounts', verbs: ['get'], why: 'the list as it is, after somebody was faster' },
  { group: core, resource: 'secrets', verbs: ['list', 'watch'], names: ['regcred'], why: 'the metadata of the copies' },
  {
    group: core,
    resource: 'secrets',
    verbs: ['create', 'patch'],
    names: ['regcred'],
    why: 'copies, by apply and patch',
  },
  { group: core, resource: 'secrets', verbs: ['delete'], names: ['regcred'], why: 'copies nobody asks for any more' },
  { group: core, resource: 'secrets', verbs: ['list', 'watch'], own: true, why: 'which sources change' },
  { group: core, resource: 'secrets', verbs: ['get'], own: true, why: 'sources, and what it keeps itself' },
  {
    group: core,
    resource: 'secrets',
    verbs: ['create', 'patch'],
    own: true,
    names: [markKeySecret],
    why: 'its key, by apply',
  },
  {
    group: core,
    resource: 'secrets',
    verbs: ['create', 'patch'],
    own: true,
    names: stateSecrets,
    why: 'the last good logins',
  },
  { group: core, resource: 'pods', verbs: ['list', 'watch'], why: 'those that cannot pull (healPods)' },
  { group: events, resource: 'events', verbs: ['create'], why: 'Events' },
  { group: events, resource: 'events', verbs: ['patch'], why: 'the count of one that happens again' },
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    verbs: ['create'],
    own: true,
    why: 'the first leader; RBAC knows no name here',
  },
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    verbs: ['get', 'patch'],
    own: true,
    names: [operatorName],
    why: 'one leader',
  },
  {
    group: 'authentication.k8s.io',
    resource: 'tokenreviews',
    verbs: ['create'],
    why: 'who asks for /metrics',
    unseen: 'nobody asks for them in the walk: test/process/metrics.test.ts',
  },
  {
    group: 'authorization.k8s.io',
    resource: 'subjectaccessreviews',
    verbs: ['create'],
    why: 'whether they may',
    unseen: 'nobody asks for them in the walk: test/process/metrics.test.ts',
  },
]

/** What Kubernetes lets every ServiceAccount do (system:basic-user, system:cluster-trust-bundle-discovery). */
const everybodys: readonly Need[] = [
  { group: 'certificates.k8s.io', resource: 'clustertrustbundles', verbs: ['get', 'list', 'watch'], why: 'CAs' },
  { group: 'authentication.k8s.io', resource: 'selfsubjectreviews', verbs: ['create'], why: 'who am I' },
  { group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews', verbs: ['create'], why: 'what may I' },
  { group: 'authorization.k8s.io', resource: 'selfsubjectrulesreviews', verbs: ['create'], why: 'what may I' },
]

/** One thing that may be asked for; without a namespace in all of them, without a name of all objects. */
export interface Action {
  verb: string
  group: string
  resource: string
  namespace?: string
  name?: string
}

export function covers(need: Need, { verb, group, resource, namespace, name }: Action): boolean {
  return (
    need.group === group &&
    need.resource === resource &&
    need.verbs.includes(verb) &&
    (need.own === undefined || namespace === systemNamespace) &&
    (need.names === undefined || (name !== undefined && need.names.includes(name)))
  )
}

export function isNeeded(action: Action): boolean {
  return [...needs, ...everybodys].some((need) => covers(need, action))
}

/** For messages; `*` is all. */
export function write({ verb, group, resource, namespace = '*', name = '*' }: Action): string {
  return `${verb} ${group}/${resource} ${namespace}/${name}`
}

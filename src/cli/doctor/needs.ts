/**
 * The table of what the operator needs of the API server, each with its reason. It is what config/rbac grants, no more and
 * no less (test/config), and what `doctor` looks for in a cluster.
 */
import { defaultSecretName, markKeySecret, operatorName, stateSecretPrefix } from '../../api/names.ts'

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
}

const core = ''
const events = 'events.k8s.io'
const stateSecrets = [...'0123456789abcdef'].map((digit) => stateSecretPrefix + digit)

/** @param names the Secret names that the installation may write */
export function needsOf(names: readonly string[]): readonly Need[] {
  return [
    { group: 'regcred.dev', resource: 'registrycredentials', verbs: ['list', 'watch'], why: 'its input' },
    { group: 'regcred.dev', resource: 'registrycredentials', verbs: ['patch'], why: 'the finalizer' },
    { group: 'regcred.dev', resource: 'registrycredentials/status', verbs: ['patch'], why: 'the status' },
    { group: core, resource: 'namespaces', verbs: ['list', 'watch'], why: 'which are selected' },
    { group: core, resource: 'serviceaccounts', verbs: ['list', 'watch'], why: 'which lack the reference' },
    { group: core, resource: 'serviceaccounts', verbs: ['patch'], why: 'the reference, within config/guard' },
    { group: core, resource: 'serviceaccounts', verbs: ['get'], why: 'the list as it is, after somebody was faster' },
    { group: core, resource: 'secrets', verbs: ['list', 'watch'], names, why: 'the metadata of the copies' },
    {
      group: core,
      resource: 'secrets',
      verbs: ['create', 'patch'],
      names,
      why: 'copies, by apply and patch',
    },
    { group: core, resource: 'secrets', verbs: ['delete'], names, why: 'copies nobody asks for any more' },
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
    },
    {
      group: 'authorization.k8s.io',
      resource: 'subjectaccessreviews',
      verbs: ['create'],
      why: 'whether they may',
    },
  ]
}

/** Of an installation by config/default. */
export const needs = needsOf([defaultSecretName])

/** Of the component config/evict-pods. */
export const evictionNeed: Need = { group: core, resource: 'pods/eviction', verbs: ['create'], why: 'healPods: Evict' }

/** Of the component config/identities. @param names ServiceAccounts that sources prove themselves as */
export function identityNeed(names: readonly string[]): Need {
  return {
    group: core,
    resource: 'serviceaccounts/token',
    verbs: ['create'],
    own: true,
    names,
    why: 'tokens for issuers',
  }
}

/** Of the component config/policies/trusted-registries-from-credentials. @param names the ConfigMap of --trusted-registries */
export function trustedNeed(names: readonly string[]): Need {
  return {
    group: core,
    resource: 'configmaps',
    verbs: ['list', 'watch', 'create', 'patch'],
    own: true,
    names,
    why: 'the registries of credentials as trusted ones',
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse, parseAllDocuments } from 'yaml'
import type { RegistryCredential } from '../../../src/api/registry-credential.ts'
import { diagnose } from '../../../src/cli/doctor/diagnose.ts'
import type {
  CustomResourceDefinition,
  Facts,
  Lease,
  Pod,
  Policies,
  TrustedList,
} from '../../../src/cli/doctor/facts.ts'
import type { MatchResources } from '../../../src/cli/doctor/fingerprint.ts'
import type { Read } from '../../../src/cli/reads.ts'
import type { Deployment } from '../../../src/cli/secret-names.ts'
import { condition, credentialWith } from '../credentials.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const text = (file: string) => readFileSync(join(root, file), 'utf8')
const now = Date.parse('2026-01-02T12:00:00Z')
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString()

const metadata = { name: 'regcred-operator', uid: 'uid', resourceVersion: '1', generation: 1 }
const crd: CustomResourceDefinition = {
  ...parse(text('crds/registrycredentials.yaml')),
  status: { conditions: [{ type: 'Established', status: 'True' }] },
}
const forbidden = { state: 'forbidden', message: '' } as const
const missing = { state: 'missing' } as const

function read<T>(value: T): Read<T> & { state: 'read' } {
  return { state: 'read', value }
}

function policiesIn(...files: string[]): Policies {
  const objects = files.flatMap((file) => parseAllDocuments(text(`config/${file}.yaml`)).map((each) => each.toJS()))
  const policies = objects.filter(({ kind }) => kind.endsWith('Policy'))
  return { policies, bindings: objects.filter(({ kind }) => kind.endsWith('Binding')) }
}

const guard = policiesIn('guard/secrets', 'guard/serviceaccounts')
const admission = policiesIn('admission/serviceaccounts', 'admission/pods')
const trustedPolicy = policiesIn('policies/trusted-registries/policy')

/** The policy for trusted registries is installed, with this list. */
function trusting(
  lines: TrustedList['lines'] = read(['docker.io/library']),
  policy = trustedPolicy,
): Pick<Facts, 'validating' | 'trustedLists'> {
  const validating = read({
    policies: [...guard.policies, ...policy.policies],
    bindings: [...guard.bindings, ...policy.bindings],
  })
  const bindings = ['trusted-registries-deny.regcred.dev']
  return { validating, trustedLists: [{ namespace: 'regcred-system', name: 'trusted-registries', bindings, lines }] }
}

function deployment({
  ready = 2,
  image = 'registry.example.com/regcred-operator:1.2.3',
  replicas = 2,
} = {}): Deployment {
  const container = { name: 'operator', image, args: ['--secret-name=regcred'] }
  return {
    metadata,
    spec: { replicas, template: { spec: { serviceAccountName: 'regcred-operator', containers: [container] } } },
    status: { readyReplicas: ready, updatedReplicas: 2, observedGeneration: 1 },
  }
}

/** @param renewed by the holder's clock @param written by the API server's */
function lease({ holder = 'one', renewed = -1, written = -1 } = {}): Lease {
  const renewal = { time: at(Math.floor(written)), fieldsV1: { 'f:spec': { 'f:renewTime': {} } } }
  const label = { time: at(0), fieldsV1: { 'f:metadata': { 'f:labels': {} } } } // somebody else's, later
  return {
    metadata: { ...metadata, managedFields: [renewal, label] },
    spec: { holderIdentity: holder, leaseDurationSeconds: 15, renewTime: at(renewed) },
  }
}

function pod({ ready = 'True', restartCount = 0 } = {}): Pod {
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: ready }],
    containerStatuses: [{ restartCount }],
  }
  return { metadata: { ...metadata, name: 'regcred-operator-1' }, status }
}

/** One that is well, but for what is given. */
function credential(given: Partial<RegistryCredential['status']> = {}, spec: Partial<RegistryCredential['spec']> = {}) {
  const made = credentialWith({
    observedGeneration: 1,
    conditions: [condition('Ready', 'True', 'Succeeded')],
    ...given,
  })
  return { ...made, spec: { ...made.spec, ...spec } }
}

/** Namespaces by name, with that value of the label for trusted registries. */
function labelled(modes: Record<string, string>) {
  return Object.entries(modes).map(([name, mode]) => ({
    metadata: { ...metadata, name, labels: { 'regcred.dev/trusted-registries': mode } },
  }))
}

/** All is well, but for what is given. */
function facts(given: Partial<Facts> = {}): Facts {
  return {
    version: '1.2.3',
    operatorNamespace: 'regcred-system',
    clocks: { ours: now, server: now },
    server: { major: '1', minor: '37', gitVersion: 'v1.37.2' },
    crd: read(crd),
    credentials: read([credential()]),
    deployment: read(deployment()),
    pods: read([pod(), pod()]),
    lease: read(lease()),
    validating: read(guard),
    mutating: read(admission),
    missingRights: read([]),
    secretNames: ['regcred'],
    trustedLists: [],
    trusting: read([]),
    ...given,
  }
}

function withVersion(given: Partial<CustomResourceDefinition['spec']['versions'][number]>): CustomResourceDefinition {
  return { ...crd, spec: { versions: crd.spec.versions.map((each) => ({ ...each, ...given })) } }
}

/** The first policy, or its binding, does not look at all requests. */
function narrowed(of: Policies, what: 'policy' | 'binding', by: MatchResources): Policies {
  const policies = of.policies.map((each, at) => {
    if (at > 0 || what === 'binding') return each
    return { ...each, spec: { ...each.spec, matchConstraints: { ...each.spec.matchConstraints, ...by } } }
  })
  const bindings = of.bindings.map((each, at) => {
    return at > 0 || what === 'policy' ? each : { ...each, spec: { ...each.spec, matchResources: by } }
  })
  return { policies, bindings }
}

const selector = { matchLabels: { nobody: 'has it' } }
const noRequest = [{ operations: ['*'], resources: ['*'] }]

/** The binding that denies is another. */
const rebound = (by: object): Policies => ({
  ...trustedPolicy,
  bindings: trustedPolicy.bindings.map((each) => {
    return each.metadata.name.includes('-deny') ? { ...each, spec: { ...each.spec, ...by } } : each
  }),
})
const unbound = (of: Policies): Policies => ({ ...of, bindings: [] })
const renamed = (of: Policies): Policies => {
  const [first, ...others] = of.policies
  if (first === undefined) throw new Error('there are no policies')
  return { ...of, policies: [{ ...first, spec: { ...first.spec, failurePolicy: 'Other' } }, ...others] }
}

test('where all is well, every line is ok and has nothing to mend', () => {
  const checks = diagnose(facts())
  expect(checks.filter(({ level, cure }) => level !== 'ok' || cure !== undefined)).toEqual([])
  expect(checks.map(({ name }) => name)).toEqual([
    ...['API server', 'CRD', 'Deployment', 'watches', 'leader', 'clock here', "operator's clock", 'RBAC', 'guard'],
    ...['admission policies', 'credentials', 'Secret names', 'contended objects', 'foreign Secrets'],
  ])
})

describe('what is wrong is told with its cure, and nothing else is', () => {
  const notOwned = [{ namespace: 'team-a', reason: 'NotOwned', message: '' }]
  test.each<[line: string, given: Partial<Facts>]>([
    ['error API server: Kubernetes v1.29.4 is older', { server: { major: '1', minor: '29', gitVersion: 'v1.29.4' } }],
    ['error CRD: registrycredentials.regcred.dev is not there', { crd: missing }],
    [
      'error CRD: registrycredentials.regcred.dev is being deleted',
      { crd: read({ ...crd, metadata: { ...crd.metadata, deletionTimestamp: at(0) } }) },
    ],
    [
      'error CRD: registrycredentials.regcred.dev is not served: NamesConflict',
      {
        crd: read({
          ...crd,
          status: { conditions: [{ type: 'Established', status: 'False', message: 'NamesConflict' }] },
        }),
      },
    ],
    ['error CRD: registrycredentials.regcred.dev has no version v1', { crd: read({ ...crd, spec: { versions: [] } }) }],
    ['warning CRD: registrycredentials.regcred.dev v1 has another schema', { crd: read(withVersion({ schema: {} })) }],
    [
      'error CRD: registrycredentials.regcred.dev v1 has no subresource status',
      { crd: read(withVersion({ subresources: {} })) },
    ],
    [
      'warning Deployment: regcred-system/regcred-operator is not there; an operator that leads runs elsewhere',
      { deployment: missing },
    ],
    ['warning Deployment: 0 of 2 replicas ready', { deployment: read(deployment({ ready: 0 })) }],
    ['warning Deployment: 1 of 2 replicas ready', { deployment: read(deployment({ ready: 1 })) }],
    [
      'warning Deployment: scaled to 0; an operator that leads runs elsewhere',
      { deployment: read(deployment({ replicas: 0 })) },
    ],
    [
      'warning Deployment: 2 of 2 replicas ready, x/y:1.0.0@sha256:ab, and this plugin is of version 1.2.3',
      { deployment: read(deployment({ image: 'x/y:1.0.0@sha256:ab' })) },
    ],
    [
      'error watches: pods are not ready, whose watches may not stand: regcred-operator-1',
      { pods: read([pod(), pod({ ready: 'False' })]) },
    ],
    [
      'warning watches: 1 pods are ready, so their watches stand; 3 restarts',
      { pods: read([pod({ restartCount: 3 })]) },
    ],
    ['error leader: there is no Lease regcred-system/regcred-operator', { lease: missing }],
    ['error leader: nobody holds', { lease: read(lease({ holder: '' })) }],
    [
      'error leader: one renewed Lease regcred-system/regcred-operator last 60s ago',
      { lease: read(lease({ renewed: -60, written: -60 })) },
    ],
    ["warning clock here: 40 s ahead of the API server's", { clocks: { ours: now + 40_000, server: now } }],
    ["warning clock here: 90 s behind the API server's", { clocks: { ours: now - 90_000, server: now } }],
    ["warning operator's clock: 60 s ahead of the API server's", { lease: read(lease({ renewed: 60, written: 0 })) }],
    [
      'error RBAC: ServiceAccount regcred-operator in regcred-system may not list namespaces',
      { missingRights: read(['list namespaces']) },
    ],
    ['error guard: guard-secrets.regcred.dev is not there', { validating: read({ policies: [], bindings: [] }) }],
    ['error guard: guard-secrets.regcred.dev has no binding', { validating: read(unbound(guard)) }],
    ['error guard: guard-secrets.regcred.dev is of another version', { validating: read(renamed(guard)) }],
    ...(
      [
        ['policy', { namespaceSelector: selector }],
        ['policy', { objectSelector: selector }],
        ['policy', { excludeResourceRules: noRequest }],
        ['binding', { namespaceSelector: selector }],
        ['binding', { resourceRules: noRequest }],
      ] as const
    ).map(([what, by]): [string, Partial<Facts>] => [
      'error guard: guard-secrets.regcred.dev, or its binding, does not look at all requests',
      { validating: read(narrowed(guard, what, by)) },
    ]),
    ['error admission policies: serviceaccounts.regcred.dev has no binding', { mutating: read(unbound(admission)) }],
    [
      'error admission policies: serviceaccounts.regcred.dev is of another version',
      { mutating: read(renamed(admission)) },
    ],
    [
      'error admission policies: not installed, so spec.pods AddToOwnList of hub has no effect',
      { mutating: missing, credentials: read([credential({}, { pods: 'AddToOwnList' })]) },
    ],
    [
      'error credentials: the operator has not looked at hub as they are now',
      { credentials: read([credential({ observedGeneration: 0 })]) },
    ],
    [
      'error credentials: not ready: hub (SourceNotFound: No Secret.)',
      {
        credentials: read([credential({ conditions: [condition('Ready', 'False', 'SourceNotFound', 'No Secret.')] })]),
      },
    ],
    ['warning credentials: suspended: hub', { credentials: read([credential({}, { suspend: true })]) }],
    [
      'error Secret names: the installation may write regcred, and not other (hub)',
      { credentials: read([credential({}, { secretName: 'other' })]) },
    ],
    [
      'warning unverified: hub: Refused.',
      {
        credentials: read([
          credential({ conditions: [condition('Ready', 'True', 'Ok'), condition('Verified', 'False', 'Refused')] }),
        ]),
      },
    ],
    [
      'error contended objects: hub: Undone.',
      {
        credentials: read([
          credential({ conditions: [condition('Ready', 'True', 'Ok'), condition('Contended', 'True', 'Undone')] }),
        ]),
      },
    ],
    [
      'error foreign Secrets: Secrets that the operator did not make are in the way: team-a/regcred',
      { credentials: read([credential({ failures: notOwned })]) },
    ],
    [
      'error trusted registries: there is no ConfigMap regcred-system/trusted-registries, for trusted-registries-deny.regcred.dev: ',
      trusting(missing),
    ],
    [
      'warning trusted registries: ConfigMap regcred-system/trusted-registries lists none, so no image is trusted',
      trusting(read([])),
    ],
    [
      'warning trusted registries: ConfigMap regcred-system/trusted-registries has lines that trust nothing: nginx, https://ghcr.io',
      trusting(read(['nginx', 'docker.io', 'https://ghcr.io'])),
    ],
    [
      'warning trusted registries: the label regcred.dev/trusted-registries has a value that is no mode, and counts as deny: b (dney), c (), d (x), e (x), f (x) and 1 more',
      { ...trusting(), trusting: read(labelled({ a: 'warn', b: 'dney', c: '', d: 'x', e: 'x', f: 'x', g: 'x' })) },
    ],
    [
      'warning trusted registries: trusted-registries.regcred.dev has no binding',
      { ...trusting(undefined, unbound(trustedPolicy)), trustedLists: [] },
    ],
    [
      'warning trusted registries: trusted-registries.regcred.dev is not there, so the label regcred.dev/trusted-registries has no effect: a',
      { trusting: read(labelled({ a: 'deny' })) },
    ],
    [
      'error trusted registries: trusted-registries.regcred.dev does not look at all requests that it is for',
      trusting(undefined, narrowed(trustedPolicy, 'policy', { excludeResourceRules: noRequest })),
    ],
    ...[
      { validationActions: ['Audit'] },
      { matchResources: { namespaceSelector: selector } },
      { matchResources: { ...trustedPolicy.bindings[2]?.spec.matchResources, objectSelector: selector } },
      { policyName: 'other.example.com' },
    ].map((by): [string, Partial<Facts>] => [
      'warning trusted registries: not there, or not as they are installed: the bindings trusted-registries-deny.regcred.dev',
      trusting(undefined, rebound(by)),
    ]),
    [
      'warning trusted registries: trusted-registries.regcred.dev is of another version',
      trusting(undefined, renamed(trustedPolicy)),
    ],
    ['warning stuck pods: hub: 2 pods cannot pull', { credentials: read([credential({ pods: { stuck: 2 } })]) }],
  ])('%s', (line, given) => {
    const bad = diagnose(facts(given)).filter(({ level }) => level !== 'ok')
    expect(bad).toHaveLength(1)
    expect(bad.map(({ level, name, message }) => `${level} ${name}: ${message}`)[0]).toContain(line)
    expect(bad[0]?.cure).toMatch(/\w/)
  })
})

test('the policy for trusted registries is looked at where it is installed', () => {
  const lineOf = (given: Partial<Facts>) => diagnose(facts(given)).filter(({ name }) => name === 'trusted registries')
  expect(lineOf({})).toEqual([])
  expect(lineOf(trusting())).toMatchObject([{ level: 'ok', message: expect.stringContaining('of this version') }])
  expect(lineOf(trusting(forbidden))).toMatchObject([
    { level: 'unknown', message: 'you may not read ConfigMap regcred-system/trusted-registries' },
  ])
})

test('other bindings of the policy for trusted registries, and another namespace in those of config/, are as well', () => {
  const bindings = trustedPolicy.bindings.flatMap((each) => [
    { ...each, metadata: { ...each.metadata, name: 'own.example.com' } },
    { ...each, spec: { ...each.spec, paramRef: { ...each.spec.paramRef, namespace: 'other' } } },
  ])
  const checks = diagnose(facts(trusting(undefined, { ...trustedPolicy, bindings })))
  expect(checks.filter(({ level }) => level !== 'ok')).toEqual([])
})

test('an operator that is not there at all is an error, in its Deployment and of its leader', () => {
  const checks = diagnose(facts({ deployment: missing, lease: missing, pods: read([]) }))
  expect(checks.flatMap(({ name, level }) => (level === 'ok' ? [] : [`${level} ${name}`]))).toEqual([
    'error Deployment',
    'error leader',
  ])
})

test('selectors as the API server fills them in let nothing past', () => {
  const filled = { namespaceSelector: {}, objectSelector: {}, excludeResourceRules: [] }
  expect(
    diagnose(facts({ validating: read(narrowed(guard, 'policy', filled)) })).every(({ level }) => level === 'ok'),
  ).toBe(true)
})

test('whose rights are missing is told: of the ServiceAccount that the Deployment names', () => {
  const other = deployment()
  other.spec.template.spec.serviceAccountName = 'other'
  const checks = diagnose(facts({ deployment: read(other), missingRights: read(['list namespaces']) }))
  expect(checks.find(({ level }) => level === 'error')?.message).toMatch(
    /^ServiceAccount other in regcred-system may not/,
  )
})

test('guard and admission policies have to know all Secret names of the installation', () => {
  const checks = diagnose(facts({ secretNames: ['regcred', 'ci'] })).filter(({ level }) => level === 'error')
  expect(checks.map(({ message }) => message)).toEqual([
    'guard-serviceaccounts.regcred.dev does not know the Secret names ci',
    'serviceaccounts.regcred.dev does not know the Secret names ci',
  ])
})

test('admission policies that are not there are no fault, and are recommended where there can be some', () => {
  const messageAt = (minor: string) =>
    diagnose(facts({ mutating: missing, server: { major: '1', minor, gitVersion: '' } })).find(
      ({ name }) => name === 'admission policies',
    )
  expect(messageAt('37')).toMatchObject({ level: 'ok', message: expect.stringContaining('recommended') })
  expect(messageAt('31+')).toMatchObject({ level: 'ok', message: expect.stringContaining('need Kubernetes 1.36') })
})

test.each([
  { what: 'leads all the same', written: -1, renewed: -3600, told: 'ok leader: one, renewed 1s ago' },
  {
    what: 'and who is gone does not lead any longer',
    written: -60,
    renewed: 3600,
    told: 'error leader: one renewed Lease regcred-system/regcred-operator last 60s ago, and nobody has taken over',
  },
])('a leader whose clock is wrong $what', ({ told, ...times }) => {
  const checks = diagnose(facts({ lease: read(lease(times)) }))
  const lines = checks.map(({ level, name, message }) => `${level} ${name}: ${message}`)
  expect(lines).toContain(told)
  expect(lines).toContainEqual(expect.stringMatching(/^warning operator's clock: \d+ s/))
})

test('what the user may not look at is unknown, and no error', () => {
  const all = { crd: forbidden, credentials: forbidden, deployment: forbidden, pods: forbidden, lease: forbidden }
  const checks = diagnose(facts({ ...all, validating: forbidden, mutating: forbidden, missingRights: forbidden }))
  expect(new Set(checks.map(({ level }) => level))).toEqual(new Set(['ok', 'unknown']))
  expect(checks.filter(({ level }) => level === 'ok').map(({ name }) => name)).toEqual(['API server', 'clock here'])
})

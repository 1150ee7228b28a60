/**
 * Credentials, namespaces and ServiceAccounts at random, all that the CRD and Kubernetes admit: odd names and labels, globs
 * made from names so that they often match, every way to opt in and out. The same seed gives the same ones.
 */
import fc from 'fast-check'

export interface Population {
  credentials: GeneratedCredential[]
  namespaces: GeneratedNamespace[]
}

export interface GeneratedCredential {
  name: string
  spec: Record<string, unknown>
  /** It is deleted, and a finalizer keeps it. */
  deleting: boolean
}

export interface GeneratedNamespace {
  name: string
  labels: Record<string, string>
  terminating: boolean
  serviceAccounts: GeneratedServiceAccount[]
}

export interface GeneratedServiceAccount {
  name: string
  annotations: Record<string, string>
}

/** They exist in every cluster. */
const firstNamespaces = ['kube-system', 'kube-public', 'kube-node-lease', 'default']
const otherNamespaces = [
  ...['kube-systems', 'kube', 'system', 'team', 'team-a', 'team-b', 'team-ab', 'team-a-b', 'teams', 'ateam', 'a', 'aa'],
  ...['a-a', 'b', '0', '9-9', 'x--y', 'xn--team', 'web', 'web-1', 'web-10', 'web-2', 'prod-web', 'prod-web-eu'],
  ...['constructor', 'true', 'null', 't'.repeat(63), `${'t'.repeat(61)}-0`],
]
/** Most have a dot that is something else in another one. */
const serviceAccountNames = [
  ...['default', 'default.a', 'default-a', 'deploy', 'deploy.a', 'deploy-a', 'deployxa', 'a', 'a.b', 'a-b', 'axb'],
  ...['a.b.c', 'a-b.c', 'a.b-c', '0.0', '000', '0-0', 's'.repeat(253)],
]
const labelKeys = [
  ...['tier', 'Tier', 'a_b', 'a.b', '0', 'constructor', 'toString', 'hasOwnProperty', 'regcred.dev/other'],
  ...['app.kubernetes.io/name', 'x.example.com/Z_z.z', `${'p'.repeat(63)}.example/k`, 'kubernetes.io/metadata.name'],
]
const labelValues = ['', 'a', 'A', 'web', 'team-a', 'true', 'false', '0', 'x_y.Z', 'v'.repeat(63)]
const switches = ['true', 'true', 'false', 'True', 'TRUE', 'yes', '', '0', '1']

function credentialName(index: number): string {
  const names = ['c', 'c.d', 'c-d', '0', 'hub.example.com', 'c'.repeat(63), 'opt-out', 'true']
  return names[index] ?? ['cred', 'cred-', 'cred.x'][index % 3] + String(index)
}

/** A name, or a glob that a wildcard in the place of some part of it makes. */
function globOf(names: readonly string[], maxLength: number): fc.Arbitrary<string> {
  const [position, mark] = [fc.nat({ max: 8 }), fc.constantFrom('', '', '*', '?', '??', '**', '?*')]
  return fc
    .tuple(fc.constantFrom(...names), position, position, mark)
    .map(([name, start, length, wildcard]) =>
      wildcard === '' ? name : name.slice(0, start) + wildcard + name.slice(start + length),
    )
    .filter((glob) => glob.length <= maxLength && /^[a-z0-9*?]([-.a-z0-9*?]*[a-z0-9*?])?$/.test(glob))
}

const namespaceGlobs = (maxLength: number) =>
  fc.uniqueArray(globOf([...firstNamespaces, ...otherNamespaces], 63), { maxLength })

const labels = fc.dictionary(fc.constantFrom(...labelKeys.slice(0, -1)), fc.constantFrom(...labelValues), {
  maxKeys: 6,
})

const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom(...labelKeys),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(fc.constantFrom(...labelValues), { minLength: 1, maxLength: 6 }),
  }),
  fc.record({ key: fc.constantFrom(...labelKeys), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
)

const selector = fc.record(
  {
    matchLabels: fc.dictionary(fc.constantFrom(...labelKeys), fc.constantFrom(...labelValues), { maxKeys: 1 }),
    matchExpressions: fc.array(requirement, { maxLength: 2 }),
  },
  { requiredKeys: [] },
)

/** Absent once in so many times. */
const often = <T>(arbitrary: fc.Arbitrary<T>, times: number) => fc.option(arbitrary, { freq: times, nil: undefined })

/** True once in a while. */
const oneIn = (times: number) => fc.nat({ max: times - 1 }).map((number) => number === times - 1)

const credential = fc.record({
  spec: fc.record({
    namespaces: often(
      fc.record({
        include: often(fc.oneof(namespaceGlobs(12), fc.constant(['*'])), 3),
        selector: often(selector, 2),
        exclude: often(namespaceGlobs(3), 2),
        optIn: often(fc.boolean(), 3),
      }),
      9,
    ),
    serviceAccounts: often(
      fc.oneof(fc.constant(['*']), fc.uniqueArray(globOf(serviceAccountNames, 253), { maxLength: 6 })),
      3,
    ),
    pods: often(fc.constantFrom('Inherit', ...Array(4).fill('AddToOwnList')), 9),
    suspend: often(oneIn(8), 2),
  }),
  deleting: oneIn(10),
})

const said = fc.constantFrom(...switches)

/** `default` is always there, and comes first. */
const serviceAccounts = fc
  .uniqueArray(fc.constantFrom(...serviceAccountNames.slice(1)), { minLength: 6, maxLength: 6 })
  .chain((names) =>
    fc.tuple(...['default', ...names].map((name) => fc.record({ name: fc.constant(name), optOut: often(said, 2) }))),
  )

function namespace(credentials: readonly string[], index: number): fc.Arbitrary<GeneratedNamespace> {
  const name = [...firstNamespaces, ...otherNamespaces][index] ?? `n${index}`
  const use = fc.constantFrom(...credentials, 'nobody').map((each) => `use.regcred.dev/${each}`)
  const optOut = index % 3 === 2 ? said : fc.constant(undefined)
  return fc
    .record({
      others: labels,
      uses: fc.dictionary(use, said, { maxKeys: Math.ceil(credentials.length / 3), size: 'max' }),
      optOut,
      terminating: oneIn(6),
      serviceAccounts,
    })
    .map(({ others, uses, optOut, terminating, serviceAccounts }) => ({
      name,
      labels: { ...others, ...uses, ...optOutBy(optOut) },
      terminating: terminating && !firstNamespaces.includes(name),
      serviceAccounts: serviceAccounts.map(({ name, optOut }) => ({ name, annotations: optOutBy(optOut) })),
    }))
}

function optOutBy(value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { 'regcred.dev/opt-out': value }
}

export interface Size {
  credentials: number
  namespaces: number
}

export function populationOf(seed: number, size: Size): Population {
  const names = Array.from({ length: size.credentials }, (_, index) => credentialName(index))
  const [credentials = [], namespaces = []] =
    fc.sample(
      fc.tuple(
        fc.tuple(...names.map((name) => credential.map((each) => ({ name, ...each })))),
        fc.tuple(...Array.from({ length: size.namespaces }, (_, index) => namespace(names, index))),
      ),
      { seed, numRuns: 1 },
    )[0] ?? []
  return { credentials, namespaces }
}

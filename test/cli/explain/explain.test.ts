import { describe, expect, test } from '@jest/globals'
import type { RegistryCredentialSpec, RegistryCredentialStatus } from '../../../src/api/registry-credential.ts'
import { type Explanation, explain } from '../../../src/cli/explain/explain.ts'
import { type Facts, type Secret, secretFacts } from '../../../src/cli/explain/facts.ts'
import { renderExplanation } from '../../../src/cli/explain/render.ts'
import { type Subject, subjectOfImage } from '../../../src/cli/explain/subject.ts'
import type { ObservedCredential } from '../../../src/controller/observe.ts'
import type { ObservedServiceAccount } from '../../../src/model/observed.ts'
import { credential, namespace, owner, serviceAccount, uidOf } from '../../model/builders.ts'

const now = new Date('2026-01-02T12:00:00Z')
const issuedAt = '2026-01-02T06:00:00Z'
const image = 'ghcr.io/acme/app:1'
const password = 'p4ssw0rd-of-explain'

const missing = {
  reason: 'ImagePullBackOff',
  message: 'pull access denied, repository does not exist or may require authorization',
}
const refused = {
  reason: 'ErrImagePull',
  message: 'unexpected status from HEAD request to https://ghcr.io: 401 Unauthorized',
}

type Login = NonNullable<RegistryCredentialStatus['credential']>

/** A credential that has a login for ghcr.io, and that the registry takes. */
function hub(
  spec: Partial<RegistryCredentialSpec> = {},
  {
    name = 'hub',
    verified = 'True',
    login = {},
  }: { name?: string; verified?: 'True' | 'False'; login?: Partial<Login> } = {},
): ObservedCredential {
  const conditions = [
    { type: 'Verified', status: verified, reason: 'Reason', message: '', lastTransitionTime: issuedAt },
  ]
  const status = { conditions, credential: { registries: ['ghcr.io/acme/'], issuedAt, ...login } }
  return { ...credential(name, spec), resourceVersion: '1', finalizers: [], deletionTimestamp: undefined, status }
}

function contended(): ObservedCredential {
  const made = hub()
  const condition = {
    type: 'Contended',
    status: 'True' as const,
    reason: 'KeepsBeingUndone',
    message: '',
    lastTransitionTime: issuedAt,
  }
  return { ...made, status: { ...made.status, conditions: [condition] } }
}

function withoutLogin(spec: Partial<RegistryCredentialSpec> = {}): ObservedCredential {
  const made = hub(spec)
  const ready = {
    type: 'Ready',
    status: 'False' as const,
    reason: 'SourceNotFound',
    message: 'There is no Secret x.',
    lastTransitionTime: issuedAt,
  }
  return { ...made, status: { conditions: [ready] } }
}

function secret(keys: readonly string[], of?: string): Secret {
  const auths = Object.fromEntries(keys.map((key) => [key, { username: 'robot', password }]))
  return secretOf(JSON.stringify({ auths }), of)
}

/** @param of the credential that it was made of; undefined: it is somebody else's */
function secretOf(text: string, of?: string): Secret {
  const ours = {
    labels: { 'app.kubernetes.io/managed-by': 'regcred-operator' },
    annotations: { 'regcred.dev/mark': `${'a'.repeat(32)}:${uidOf(of ?? '')}:${'b'.repeat(32)}` },
    ownerReferences: [owner(of ?? '')],
    managedFields: [{ manager: 'regcred-operator', fieldsV1: { 'f:data': { 'f:.dockerconfigjson': {} } } }],
  }
  return {
    metadata: { name: 'regcred', namespace: 'team-a', uid: 'uid-of-secret', resourceVersion: '1', ...(of && ours) },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(text).toString('base64') },
  }
}

function pod({
  pullSecrets = ['regcred'],
  waiting,
  pulled = false,
  createdAt = '2026-01-02T11:00:00Z',
  app = image,
}: {
  pullSecrets?: string[]
  waiting?: { reason: string; message: string }
  pulled?: boolean
  createdAt?: string
  app?: string
} = {}): Subject {
  return {
    name: 'pod/web',
    namespace: 'team-a',
    serviceAccount: 'default',
    pullSecrets,
    pod: { name: 'web', uid: 'uid-of-pod', createdAt: Date.parse(createdAt), controller: 'ReplicaSet/web' },
    images: [{ user: 'container app', image: app, pulled, waiting }],
    stuckPods: [],
  }
}

/** All is well, unless said otherwise. */
function facts({
  secrets = { regcred: secret(['ghcr.io'], 'hub') },
  account = {},
  ...others
}: Partial<Omit<Facts, 'secrets' | 'serviceAccount'>> & {
  secrets?: Record<string, Secret | 'missing' | 'forbidden'>
  account?: Partial<ObservedServiceAccount> | 'missing' | 'forbidden'
} = {}): Facts {
  const linked = { pullSecrets: ['regcred'], managed: ['regcred'], listedAt: Date.parse('2026-01-02T08:00:00Z') }
  const read = Object.entries(secrets).map(([name, value]) => {
    if (value === 'missing') return [name, secretFacts({ state: 'missing' })] as const
    if (value === 'forbidden') return [name, secretFacts({ state: 'forbidden', message: '' })] as const
    return [name, secretFacts({ state: 'read', value })] as const
  })
  return {
    subject: pod(),
    namespace: namespace(),
    serviceAccount:
      account === 'missing'
        ? { state: 'missing' }
        : account === 'forbidden'
          ? { state: 'forbidden', message: '' }
          : { state: 'read', value: serviceAccount({ ...linked, ...account }) },
    credentials: [hub()],
    now,
    ...others,
    secrets: new Map(read),
  }
}

function first({ images: [only] }: Explanation) {
  if (only === undefined) throw new Error('there is no image')
  return only
}

const template = (pullSecrets: string[] = []): Subject => ({
  ...pod({ pullSecrets }),
  name: 'deployment/web',
  pod: undefined,
})

describe('it will be pulled', () => {
  test.each<[string, Facts]>([
    ['with a login that the registry takes', facts()],
    [
      'by a pod that is yet to be made, with the list of its ServiceAccount',
      facts({ subject: subjectOfImage(image, 'team-a', 'default') }),
    ],
    ['by a new pod of a workload', facts({ subject: template() })],
    ['with the Secret of somebody else', facts({ credentials: [], secrets: { regcred: secret(['ghcr.io/acme/']) } })],
    ['by the status, where the Secret must not be read', facts({ secrets: { regcred: 'forbidden' } })],
    [
      'where the container runs, whatever its logins',
      facts({ subject: pod({ pulled: true }), credentials: [], secrets: {} }),
    ],
  ])('%s', (_, given) => {
    expect(explain(given)).toMatchObject({ pulls: 'yes', images: [{ pulls: 'yes' }] })
  })
})

describe('it will not be pulled, and is told why and what to do', () => {
  test.each<[string, Facts, because: RegExp, cure: RegExp]>([
    [
      'a login that the registry refuses',
      facts({ credentials: [hub({}, { verified: 'False' })] }),
      /known to be bad/,
      /status hub/,
    ],
    [
      'a login that has ended',
      facts({ credentials: [hub({}, { login: { expiresAt: '2026-01-02T11:59:00Z' } })] }),
      /known to be bad/,
      /status hub/,
    ],
    [
      'a namespace that opts out',
      facts({
        subject: template(),
        namespace: namespace('team-a', { 'regcred.dev/opt-out': 'true' }),
        secrets: { regcred: 'missing' },
      }),
      /opts out of all credentials by its label/,
      /kubectl label namespace team-a regcred.dev\/opt-out-/,
    ],
    [
      'a namespace that is not selected',
      facts({
        subject: template(),
        credentials: [hub({ namespaces: { include: ['x'], optIn: true } })],
        secrets: { regcred: 'missing' },
      }),
      /Namespace team-a is not in spec.namespaces.include \(RegistryCredential hub\)/,
      /kubectl label --overwrite namespace team-a use.regcred.dev\/hub=true/,
    ],
    [
      'a foreign Secret in its place',
      facts({ secrets: { regcred: secret(['quay.io']) } }),
      /was not made by the operator/,
      /kubectl annotate secret regcred -n team-a regcred.dev\/adopt=true/,
    ],
    [
      'a Secret that is not there',
      facts({ secrets: { regcred: 'missing' } }),
      /Secret regcred is not in namespace team-a/,
      /doctor/,
    ],
    [
      'a credential that is suspended, before its Secret was there',
      facts({ credentials: [hub({ suspend: true })], secrets: { regcred: 'missing' } }),
      /is suspended/,
      /Set spec.suspend of hub to false/,
    ],
    [
      'a ServiceAccount that opts out',
      facts({ subject: template(), account: { optedOut: true, pullSecrets: [] } }),
      /ServiceAccount default in namespace team-a opts out/,
      /kubectl annotate serviceaccount default -n team-a regcred.dev\/opt-out-/,
    ],
    [
      'a ServiceAccount that is not selected',
      facts({
        subject: template(),
        credentials: [hub({ serviceAccounts: ['builder'] })],
        account: { pullSecrets: [] },
      }),
      /is not among spec.serviceAccounts of RegistryCredential hub/,
      /Add default to spec.serviceAccounts/,
    ],
    [
      'a ServiceAccount that is not there',
      facts({ subject: template(), account: 'missing' }),
      /is not there/,
      /kubectl create serviceaccount default/,
    ],
    [
      'a reference that somebody took off',
      facts({ subject: template(), account: { pullSecrets: [], listManager: 'argocd-controller' } }),
      /the operator had added it, and it was taken off by field manager argocd-controller/,
      /docs\/how-to\/gitops.md/,
    ],
    [
      'a reference that somebody takes off again and again',
      facts({ subject: template(), account: { pullSecrets: [] }, credentials: [contended()] }),
      /it was taken off\. It is undone again and again/,
      /docs\/how-to\/gitops.md/,
    ],
    [
      'a reference that is not there yet',
      facts({ subject: template(), account: { pullSecrets: [], managed: [] } }),
      /does not name Secret regcred yet/,
      /doctor/,
    ],
    [
      'a pod that is older than the reference',
      facts({ subject: pod({ pullSecrets: [], createdAt: '2026-01-02T07:00:00Z', waiting: missing }) }),
      /made before ServiceAccount default named Secret regcred/,
      /kubectl delete pod\/web -n team-a {2}\(ReplicaSet\/web makes another\)/,
    ],
    [
      'a pod with a list of its own',
      facts({
        subject: pod({ pullSecrets: ['mine'], waiting: missing }),
        secrets: { mine: secret(['quay.io']), regcred: secret(['ghcr.io'], 'hub') },
      }),
      /has imagePullSecrets of its own \(mine\)/,
      /Name Secret regcred in imagePullSecrets of the pod or its template/,
    ],
    [
      'a workload with a list of its own',
      facts({ subject: template(['mine']), secrets: { mine: 'missing', regcred: secret(['ghcr.io'], 'hub') } }),
      /deployment\/web has imagePullSecrets of its own/,
      /kubectl patch deployment\/web -n team-a -p '\{"spec":\{"template":\{"spec":\{"imagePullSecrets":\[\{"name":"regcred"\}\]/,
    ],
    [
      'a Secret that the kubelet cannot read',
      facts({
        subject: pod({ pullSecrets: ['regcred', 'mine'] }),
        secrets: { regcred: secret(['ghcr.io'], 'hub'), mine: secretOf('{"auths":{"x":{"auth":"!"}}}') },
      }),
      /cannot read Secret mine \(entry x: illegal base64 data at input byte 0\), and so pulls no image/,
      /kubectl delete secret mine -n team-a/,
    ],
    [
      'a Secret that the kubelet cannot read, and whoever asks may not',
      facts({
        subject: pod({
          pullSecrets: ['mine', 'regcred'],
          waiting: { reason: 'illegal base64 data at input byte 3', message: '' },
        }),
        secrets: { mine: 'forbidden', regcred: 'forbidden' },
      }),
      /cannot read one of the pull Secrets of the pod/,
      /the one of mine, regcred that is malformed/,
    ],
    [
      'a credential without a login',
      facts({
        credentials: [withoutLogin({ registries: ['ghcr.io'] })],
        subject: pod({ waiting: missing }),
        secrets: { regcred: 'missing' },
      }),
      /RegistryCredential hub has no login: There is no Secret x/,
      /kubectl regcred status hub/,
    ],
    [
      'a credential without a login: no credential is for it then, and the registry wants one',
      facts({ credentials: [withoutLogin()], subject: pod({ pullSecrets: [], waiting: missing }), secrets: {} }),
      /No RegistryCredential has a login for ghcr.io\/acme\/app/,
      /^$/,
    ],
    [
      'a login that the registry refused when it was in use',
      facts({ subject: pod({ waiting: refused }) }),
      /refuses the login of RegistryCredential hub: it is wrong, or has no right/,
      /kubectl regcred verify hub --image ghcr.io\/acme\/app/,
    ],
    [
      'something else than a login',
      facts({ subject: pod({ waiting: { reason: 'ErrImagePull', message: 'manifest unknown: not found' } }) }),
      /not for want of a login/,
      /kubectl describe pod\/web -n team-a/,
    ],
    [
      'what is no name of an image',
      facts({ subject: pod({ app: 'Ghcr.io/Acme:x y' }) }),
      /not the name of an image/,
      /lower-case/,
    ],
  ])('%s', (_, given, because, cure) => {
    const explanation = explain(given)
    expect(explanation.pulls).toBe('no')
    expect(first(explanation).because.join('\n')).toMatch(because)
    expect(first(explanation).cures.join('\n')).toMatch(cure)
  })
})

describe('it cannot be told', () => {
  test.each<[string, Facts, RegExp]>([
    [
      'where there is no login, and the image may be public',
      facts({ credentials: [], secrets: {}, subject: template(), account: { pullSecrets: [] } }),
      /works for public images only/,
    ],
    [
      'where the Secret must not be read, and no credential is known',
      facts({ credentials: undefined, secrets: { regcred: 'forbidden' } }),
      /you may not read Secret regcred/,
    ],
    [
      'where the ServiceAccount must not be read',
      facts({ subject: template(), account: 'forbidden', credentials: [] }),
      /cannot be told whether/,
    ],
    [
      'where the login came after the last attempt',
      facts({ subject: pod({ waiting: missing, createdAt: '2026-01-02T11:59:00Z' }) }),
      /may have come after the last attempt/,
    ],
    [
      'where it was refused before the login in use was had',
      facts({
        subject: pod({ waiting: refused, createdAt: '2026-01-02T05:00:00Z' }),
        credentials: [hub({}, { login: { issuedAt: '2026-01-02T11:58:00Z' } })],
      }),
      /before the login in use of RegistryCredential hub was had/,
    ],
  ])('%s', (_, given, because) => {
    const explanation = explain(given)
    expect(explanation.pulls).toBe('unknown')
    expect(first(explanation).because.join('\n')).toMatch(because)
  })
})

test.each([
  ['unknown', 'ghcr.io', 'of a login for a whole registry that has public images'],
  ['no', 'ghcr.io/acme/', 'of one for a part of it'],
])('%s without a login, where there would be one, %s, %s', (pulls, key) => {
  const given = facts({
    subject: template(['mine']),
    credentials: [hub({}, { login: { registries: [key] } })],
    secrets: {},
  })
  const { because, ...told } = first(explain(given))
  expect(told.pulls).toBe(pulls)
  expect(because.join(' ')).toMatch(/deployment\/web has imagePullSecrets of its own/)
})

test("a registry of one's own is taken to be private", () => {
  const credentials = [hub({}, { login: { registries: ['registry.example.com'] } })]
  const subject = { ...template(['mine']), images: pod({ app: 'registry.example.com/app' }).images }
  expect(explain(facts({ subject, credentials, secrets: {} })).pulls).toBe('no')
})

test('logins are told in the order of the kubelet: longer paths first, then the order of the list', () => {
  const secrets = { mine: secret(['ghcr.io', 'quay.io']), regcred: secret(['ghcr.io/acme/', 'ghcr.io'], 'hub') }
  const { tried } = first(explain(facts({ subject: pod({ pullSecrets: ['mine', 'regcred'] }), secrets })))
  expect(tried.map(({ key, secret: of, credential: by }) => [key, of, by])).toEqual([
    ['ghcr.io/acme/', 'regcred', 'hub'],
    ['ghcr.io', 'mine', undefined],
    ['ghcr.io', 'regcred', 'hub'],
  ])
})

test('of several credentials in one Secret each entry is told by its own', () => {
  const other = hub({ priority: 1 }, { name: 'other' })
  const made = secret(['ghcr.io/acme/', 'ghcr.io'], 'hub')
  made.metadata.annotations = {
    'regcred.dev/mark': `${'a'.repeat(32)}:${uidOf('hub')},${uidOf('other')}:${'b'.repeat(32)}`,
  }
  const { tried } = first(
    explain(
      facts({ credentials: [hub({}, { login: { registries: ['ghcr.io'] } }), other], secrets: { regcred: made } }),
    ),
  )
  expect(tried.map(({ key, credential: by }) => [key, by])).toEqual([
    ['ghcr.io/acme/', 'other'],
    ['ghcr.io', 'hub'],
  ])
})

test('what is missing, ignored or hidden is noted, and no password ever', () => {
  const opaque = { ...secret(['ghcr.io']), type: 'Opaque' }
  const list = ['gone', 'opaque', 'hidden', 'regcred']
  const explanation = explain(
    facts({
      subject: pod({ pullSecrets: list }),
      secrets: { gone: 'missing', opaque, hidden: 'forbidden', regcred: secret([`${password}@ghcr.io`], 'hub') },
    }),
  )
  expect(explanation.notes).toEqual([
    'Secret gone, which is in the list, is not in namespace team-a; the kubelet goes on without it.',
    'Secret opaque: its type is Opaque, which the kubelet ignores.',
    'You may not read Secret hidden: what is in it is told by the status of the credentials.',
  ])
  expect(JSON.stringify(explanation)).not.toContain(password)
})

test('a workload whose pods cannot pull is not well, whatever a new pod would do', () => {
  const { pulls, images, stuckPods } = explain(facts({ subject: { ...template(), stuckPods: ['web-1'] } }))
  expect([pulls, images.map((each) => each.pulls), stuckPods]).toEqual(['no', ['yes'], ['web-1']])
})

test('what is in a pod does not steer the terminal of who asks about it', () => {
  const evil = '\u001b[2Jevil'
  const text = renderExplanation(
    explain(facts({ subject: pod({ app: evil, pullSecrets: [evil] }), secrets: { [evil]: 'missing' } })),
  )
  expect(text).toContain('[2Jevil')
  expect(text).not.toContain('\u001b')
})

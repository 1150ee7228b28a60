/** The invariants can be broken, each of them: a check that cannot fail would show nothing. */
import { describe, expect, test } from '@jest/globals'
import type { Secret, ServiceAccount } from '../controller/lab.ts'
import type { Version } from './history.ts'
import { complaintsAbout, type Record } from './invariants.ts'
import { passwordOf, registries } from './logins.ts'
import type { Place } from './world.ts'

const places: Place[] = [
  { name: 'team', kind: 'plain' },
  { name: 'out', kind: 'opted-out' },
  { name: 'theirs', kind: 'foreign-secret' },
]
const begun: Record['begun'] = [
  { phase: 'fan-out', revision: 10 },
  { phase: 'rotation', revision: 20 },
  { phase: 'removal', revision: 30 },
]

/** @param versions credential → version of its login; undefined: deleted */
function secret(revision: number, versions?: { [credential: string]: number }, namespace = 'team'): Version<Secret> {
  const auths = Object.fromEntries(
    Object.entries(versions ?? {}).map(([credential, version]) => [
      registries[credential],
      { username: credential, password: passwordOf(credential, version) },
    ]),
  )
  return written(revision, namespace, versions && JSON.stringify({ auths }))
}

function written(revision: number, namespace: string, text: string | undefined): Version<Secret> {
  const data = { '.dockerconfigjson': Buffer.from(text ?? '').toString('base64') }
  const object = { metadata: { name: 'regcred' }, type: 'kubernetes.io/dockerconfigjson', data } as unknown as Secret
  return { namespace, name: 'regcred', revision, object: text === undefined ? undefined : object }
}

function list(revision: number, names: string[], namespace = 'team', account = 'default'): Version<ServiceAccount> {
  const object = { metadata: { name: account }, imagePullSecrets: names.map((name) => ({ name })) }
  return { namespace, name: account, revision, object: object as unknown as ServiceAccount }
}

const again = { phase: 'fan-out', revision: 40 } as const
const both = { alpha: 1, beta: 1 }
const sound: Record = {
  secrets: [secret(11, { alpha: 1 }), secret(12, both), secret(21, { alpha: 2, beta: 2 }), secret(32)],
  serviceAccounts: [list(10, ['own']), list(13, ['own', 'regcred']), list(31, ['own'])],
  begun,
}

test('a life without faults gives no complaint', () => {
  expect(complaintsAbout(places, sound)).toEqual([])
})

const broken: [what: string, record: Partial<Record>, complaint: RegExp][] = [
  ['a lost entry', { secrets: [secret(11, both), secret(21, { alpha: 2 })] }, /has lost quay\.io/],
  ['an old login again', { secrets: [secret(11, { alpha: 2 }), secret(21, both)] }, /the old login for ghcr\.io/],
  [
    'an old login in a Secret that was made anew',
    { secrets: [secret(11, { alpha: 2 }), secret(30), secret(41, both)], begun: [...begun, again] },
    /the old login for ghcr\.io/,
  ],
  ['a Secret that comes back', { secrets: [secret(11, both), secret(31), secret(32, both)] }, /made in the removal/],
  [
    'a login of nobody',
    { secrets: [written(11, 'team', '{"auths":{"ghcr.io":{"username":"x","password":"y"}}}')] },
    /nobody gave/,
  ],
  ['half a Secret', { secrets: [written(11, 'team', '{"auths":{"ghcr.io"')] }, /no docker config/],
  ['a Secret that is deleted', { secrets: [secret(11, both), secret(21)], serviceAccounts: [] }, /was deleted/],
  [
    'too many writes',
    { secrets: Array.from({ length: 5 }, (_, index) => secret(11 + index, both)) },
    /5 times in the fan-out/,
  ],
  ['a foreign Secret touched', { secrets: [secret(11, both, 'theirs')] }, /theirs\/regcred was touched/],
  ['who opted out has a Secret', { secrets: [secret(11, both, 'out')] }, /out\/regcred was touched/],
  ['who opted out is named', { serviceAccounts: [list(11, ['regcred'], 'out')] }, /out\/default was touched/],
  [
    'a ServiceAccount that has opted out is named',
    { serviceAccounts: [list(13, ['own', 'regcred'], 'team', 'builder'), list(14, ['own'], 'team', 'builder')] },
    /team\/builder was touched/,
  ],
  [
    'a reference that goes and comes back',
    { serviceAccounts: [list(13, ['regcred']), list(21, []), list(22, ['regcred'])] },
    /has lost ours/,
  ],
  [
    'an entry of others lost',
    { serviceAccounts: [list(13, ['own', 'regcred']), list(14, ['regcred'])] },
    /an entry of others/,
  ],
  [
    'entries of others in another order',
    { serviceAccounts: [list(13, ['a', 'b']), list(14, ['b', 'a'])] },
    /an entry of others/,
  ],
  ['ours twice', { serviceAccounts: [list(13, ['regcred', 'own', 'regcred'])] }, /ours twice/],
  ['a reference before its Secret', { serviceAccounts: [list(10, ['regcred'])] }, /names a Secret that is not there/],
  [
    'a Secret gone before its reference',
    { secrets: [secret(11, both), secret(30)] },
    /names a Secret that is not there/,
  ],
]

describe('a complaint about', () => {
  test.each(broken)('%s', (_what, change, complaint) => {
    const complaints = complaintsAbout(places, { ...sound, ...change })
    expect(complaints.filter((each) => complaint.test(each))).not.toEqual([])
  })
})

import { describe, expect, test } from '@jest/globals'
import type { RegistryCredentialSpec } from '../../src/api/registry-credential.ts'
import type { ObservedServiceAccount } from '../../src/model/observed.ts'
import { noteOf } from '../../src/model/pod-note.ts'
import { type Case, looksAtPods, type ObservedPod, type Verdict, verdictOf } from '../../src/model/stuck-pod.ts'
import { credential, serviceAccount, state } from './builders.ts'

const minute = 60_000
/** When the reference was put on the ServiceAccount. */
const linkedAt = Date.parse('2026-01-02T12:00:00Z')
const image = 'ghcr.io/acme/app'

interface Facts {
  pod?: Partial<ObservedPod>
  account?: Partial<ObservedServiceAccount>
  spec?: Partial<RegistryCredentialSpec>
  issuedAt?: number
  heldMs?: number
}

/** A pod with no list of its own that was made before ServiceAccount default got its entry. */
function stuck({ pod, account, spec, issuedAt = linkedAt - 60 * minute, heldMs = 0 }: Facts = {}): Case {
  return {
    pod: {
      namespace: 'team-a',
      name: 'web',
      uid: 'uid-of-web',
      resourceVersion: '1',
      createdAt: linkedAt - minute,
      deleting: false,
      serviceAccount: 'default',
      pullSecrets: [],
      waits: [{ image, cause: 'missing' }],
      replacedBy: 'uid-of-replicaset',
      ...pod,
    },
    serviceAccount: serviceAccount({ pullSecrets: ['regcred'], managed: ['regcred'], listedAt: linkedAt, ...account }),
    credential: credential('hub', spec),
    issuedAt,
    covers: (name) => name === image,
    heldMs,
  }
}

const refused = [{ image, cause: 'refused' as const }]
const malformed = [{ image, cause: 'malformed' as const }]
const named = { pullSecrets: ['regcred'] }

type Row = [what: string, facts: Facts, verdict: Verdict | 'wait' | undefined]

describe('a pod without the reference', () => {
  test.each<Row>([
    ['has none, as its ServiceAccount had none', {}, 'NotReferenced'],
    ['is refused with another login', { pod: { waits: refused } }, 'NotReferenced'],
    [
      'has what its ServiceAccount has beside ours',
      { pod: { pullSecrets: ['own'] }, account: { pullSecrets: ['own', 'regcred'] } },
      'NotReferenced',
    ],
    [
      'has our other Secret, which came earlier',
      {
        pod: { pullSecrets: ['regcred'] },
        account: { pullSecrets: ['regcred', 'more'], managed: ['more', 'regcred'] },
        spec: { secretName: 'more' },
      },
      'NotReferenced',
    ],
    [
      'has what its ServiceAccount has, which names the Secret by itself',
      { pod: { pullSecrets: ['own'] }, account: { pullSecrets: ['own', 'regcred'], managed: [] } },
      'NotReferenced',
    ],
    ['has a list of its own', { pod: { pullSecrets: ['mine'] } }, 'OwnList'],
    [
      'has a part of the list',
      { pod: { pullSecrets: ['a'] }, account: { pullSecrets: ['a', 'b', 'regcred'] } },
      'OwnList',
    ],
    [
      'has another order',
      { pod: { pullSecrets: ['b', 'a'] }, account: { pullSecrets: ['a', 'b', 'regcred'] } },
      'OwnList',
    ],
    [
      'was made after the reference was there, so brings its list along',
      { pod: { pullSecrets: ['own'], createdAt: linkedAt + 4_000 }, account: { pullSecrets: ['own', 'regcred'] } },
      'OwnList',
    ],
    ['was made in the moment that the reference came', { pod: { createdAt: linkedAt + 2_000 } }, 'NotReferenced'],
    [
      'has none, and its ServiceAccount seems to have named the Secret before, as its last write is not remembered',
      { pod: { createdAt: linkedAt + 60 * minute } },
      'NotReferenced',
    ],
    ['is of a ServiceAccount that is not linked yet', { account: { pullSecrets: [] } }, undefined],
    ['is of a ServiceAccount that is not selected', { account: { name: 'other' } }, undefined],
    ['is of a ServiceAccount that opts out', { account: { optedOut: true } }, undefined],
    ['waits for an image of others', { pod: { waits: [{ image: 'quay.io/acme/app', cause: 'missing' }] } }, undefined],
    ['waits for nothing', { pod: { waits: [] } }, undefined],
    ['is going', { pod: { deleting: true } }, undefined],
  ])('%s', (_, facts, verdict) => {
    expect(verdictOf(stuck(facts))).toBe(verdict)
  })

  test('is no matter of a ServiceAccount that is not there', () => {
    expect(verdictOf({ ...stuck(), serviceAccount: undefined })).toBeUndefined()
  })
})

describe('a pod with the reference', () => {
  const made = linkedAt + 60 * minute
  const later = { ...named, createdAt: made }
  test.each<Row>([
    [
      'was refused before the login was renewed',
      { pod: { ...later, waits: refused }, issuedAt: made + 1 },
      'RefusedBefore',
    ],
    ['had nothing to show before', { pod: later, issuedAt: made + 1 }, 'RefusedBefore'],
    [
      'is refused as before, long after',
      { pod: { ...later, waits: refused }, issuedAt: made + 1, heldMs: 10 * minute },
      'Refused',
    ],
    ['is refused with the login in use', { pod: { ...later, waits: refused } }, 'Refused'],
    [
      'is refused when the login may not have been in its namespace yet',
      { pod: { ...later, waits: refused }, issuedAt: made - 5_000 },
      'wait',
    ],
    ['may have been faster than the Secret', { pod: later }, 'wait'],
    ['cannot have been faster than the Secret', { pod: later, heldMs: 10 * minute }, 'Refused'],
    [
      'names it, whatever its ServiceAccount',
      { pod: { ...later, waits: refused }, account: { name: 'other' } },
      'Refused',
    ],
    [
      'names it, of a ServiceAccount that opts out',
      { pod: { ...later, waits: refused }, account: { optedOut: true } },
      undefined,
    ],
  ])('%s', (_, facts, verdict) => {
    expect(verdictOf(stuck(facts))).toBe(verdict)
  })
})

describe('a pull Secret that the kubelet cannot read', () => {
  test.each<Row>([
    ['beside ours', { pod: { pullSecrets: ['bad', 'regcred'], waits: malformed } }, 'MalformedSecret'],
    ['in a list of its own', { pod: { pullSecrets: ['bad'], waits: malformed } }, 'MalformedSecret'],
    ['that is ours is put right by another loop', { pod: { ...named, waits: malformed } }, undefined],
  ])('%s', (_, facts, verdict) => {
    expect(verdictOf(stuck(facts))).toBe(verdict)
  })
})

describe('the Event', () => {
  const note = (verdict: Verdict, facts: Facts = {}) => noteOf(verdict, stuck(facts))

  test('names image, Secret and credential, and fits', () => {
    const verdicts: Verdict[] = ['NotReferenced', 'OwnList', 'RefusedBefore', 'Refused', 'MalformedSecret']
    const long = { pod: { pullSecrets: ['bad', 'regcred'], waits: [{ image, cause: 'missing' as const }] } }
    for (const verdict of verdicts) {
      expect(note(verdict, long)).toContain('Secret regcred of RegistryCredential hub')
      expect(note(verdict, long).length).toBeLessThan(700)
      if (verdict !== 'MalformedSecret') expect(note(verdict, long)).toContain(image)
    }
  })

  test('tells who makes the new pod', () => {
    expect(note('NotReferenced')).toMatch(/Delete the pod, and the one in its place has it\.$/)
    expect(note('NotReferenced', { spec: { healPods: 'Evict' } })).toMatch(/The operator evicts it, for a new one\.$/)
    const bare = { pod: { replacedBy: undefined }, spec: { healPods: 'Evict' as const } }
    expect(note('NotReferenced', bare)).toMatch(/Delete the pod and make it anew, and it has it\.$/)
  })

  test('tells the cure of an own list', () => {
    expect(note('OwnList')).toContain('or set spec.pods of the credential to AddToOwnList')
    expect(note('OwnList', { spec: { pods: 'AddToOwnList' } })).toContain('or see that config/admission is installed')
  })

  test('names the Secrets that may be malformed', () => {
    expect(note('MalformedSecret', { pod: { pullSecrets: ['a', 'regcred', 'b'] } })).toContain('(a, b)')
  })
})

test('nobody looks for a credential that says Off, is suspended or goes', () => {
  expect(looksAtPods(state(credential('a')))).toBe(true)
  expect(looksAtPods(state(credential('a', { healPods: 'Evict' })))).toBe(true)
  expect(looksAtPods(state(credential('a', { healPods: 'Off' })))).toBe(false)
  expect(looksAtPods(state(credential('a', { suspend: true })))).toBe(false)
  expect(looksAtPods(state(credential('a', {}, { deleting: true })))).toBe(false)
})

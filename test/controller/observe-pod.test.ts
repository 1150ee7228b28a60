import { describe, expect, test } from '@jest/globals'
import { observePod } from '../../src/controller/observe-pod.ts'
import type { KubeObject } from '../../src/kube/objects.ts'

const denied = 'pull access denied, repository does not exist or may require authorization: no basic auth credentials'
const pulling = { waiting: { reason: 'ErrImagePull', message: denied } }
const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'uid-of-rs', controller: true }

interface Parts {
  metadata?: object
  spec?: object
  status?: object
}

function pod({ metadata = {}, spec = {}, status = {} }: Parts = {}): KubeObject {
  return {
    metadata: {
      name: 'web-1',
      namespace: 'team-a',
      uid: 'uid',
      resourceVersion: '7',
      creationTimestamp: '2026-01-02T03:04:05Z',
      ownerReferences: [replicaSet],
      ...metadata,
    },
    spec: { containers: [{ name: 'app', image: 'acme/app:1' }], ...spec },
    status: { containerStatuses: [{ name: 'app', restartCount: 0, state: pulling }], ...status },
  } as KubeObject
}

test('a pod that waits for an image is kept without a word of the runtime', () => {
  expect(observePod(pod({ spec: { imagePullSecrets: [{ name: 'a' }, {}], serviceAccountName: 'robot' } }))).toEqual({
    namespace: 'team-a',
    name: 'web-1',
    uid: 'uid',
    resourceVersion: '7',
    createdAt: Date.parse('2026-01-02T03:04:05Z'),
    deleting: false,
    serviceAccount: 'robot',
    pullSecrets: ['a', ''],
    waits: [{ image: 'docker.io/acme/app', cause: 'missing' }],
    replacedBy: 'uid-of-rs',
  })
})

test('all other pods are one and the same value', () => {
  const waiting = (reason: string, message = '') => ({
    containerStatuses: [{ name: 'app', state: { waiting: { reason, message } } }],
  })
  const others = [
    pod({ status: waiting('ContainerCreating') }),
    pod({ status: waiting('ErrImagePull', 'not found') }),
    pod({ status: { containerStatuses: undefined } }),
    { ...pod(), status: undefined },
    { ...pod(), spec: undefined },
    pod({ spec: { imagePullSecrets: Array(257).fill({ name: 'x' }) } }),
    pod({ spec: { containers: [{ name: 'app', image: 'Not An Image' }] } }),
    pod({ spec: { containers: [{ name: 'app', image: 'a/'.repeat(100_000) }] } }),
  ]
  expect(new Set(others.map(observePod)).size).toBe(1)
})

test('init containers count, an image once, and no more than a few', () => {
  const containers = Array.from({ length: 40 }, (_, index) => ({
    name: `c${index}`,
    image: `ghcr.io/acme/app-${index}`,
  }))
  const statusOf = ({ name }: { name: string }) => ({ name, state: pulling })
  const same = containers.map(({ name }) => ({ name, image: 'ghcr.io/acme/same:1' }))
  const waitsOf = (spec: object, status: object) => observePod(pod({ spec, status })).waits.map(({ image }) => image)
  const init = { initContainerStatuses: same.slice(0, 1).map(statusOf), containerStatuses: [] }
  expect(waitsOf({ initContainers: same.slice(0, 1) }, init)).toEqual(['ghcr.io/acme/same'])
  expect(waitsOf({ containers: same }, { containerStatuses: same.map(statusOf) })).toEqual(['ghcr.io/acme/same'])
  expect(waitsOf({ containers }, { containerStatuses: containers.map(statusOf) })).toHaveLength(8)
})

describe('is never evicted', () => {
  const ran = (status: object) => ({
    containerStatuses: [
      { name: 'app', state: pulling },
      { name: 'b', ...status },
    ],
  })
  const owned = (owner: object) => ({ metadata: { ownerReferences: [{ ...replicaSet, ...owner }] } })
  test.each<[string, Parts]>([
    ['a bare pod', { metadata: { ownerReferences: undefined } }],
    ['one that is only owned', owned({ controller: undefined })],
    ['one of a Job, to which it would have failed', owned({ apiVersion: 'batch/v1', kind: 'Job' })],
    ['one of a kind that nobody knows', owned({ apiVersion: 'tekton.dev/v1', kind: 'TaskRun' })],
    ['a static pod', owned({ apiVersion: 'v1', kind: 'Node' })],
    ['a mirror pod', { metadata: { annotations: { 'kubernetes.io/config.mirror': 'hash' } } }],
    ['one with a container that runs', { status: ran({ state: { running: {} } }) }],
    ['one with a container that has ended', { status: ran({ state: { terminated: { exitCode: 0 } } }) }],
    ['one with a container that ran before', { status: ran({ lastState: { terminated: { exitCode: 1 } } }) }],
    ['one with a container that was restarted', { status: ran({ restartCount: 1 }) }],
  ])('%s', (_, parts) => {
    expect(observePod(pod(parts))).toMatchObject({ waits: [{}], replacedBy: undefined })
  })
})

test('pods of controllers that make them anew can be evicted', () => {
  for (const [apiVersion, kind] of [
    ['apps/v1', 'StatefulSet'],
    ['apps/v1', 'DaemonSet'],
    ['v1', 'ReplicationController'],
  ]) {
    const owner = { ...replicaSet, apiVersion, kind }
    expect(observePod(pod({ metadata: { ownerReferences: [owner] } })).replacedBy).toBe('uid-of-rs')
  }
})

test('10,000 of them take little memory', () => {
  const observed = Array.from({ length: 10_000 }, (_, index) => {
    const message = `${denied} ${'x'.repeat(10_000)} ${index}`
    const state = { waiting: { reason: 'ErrImagePull', message } }
    return observePod(
      pod({ metadata: { name: `web-${index}` }, status: { containerStatuses: [{ name: 'app', state }] } }),
    )
  })
  expect(JSON.stringify(observed).length / observed.length).toBeLessThan(400)
})

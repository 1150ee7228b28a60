import { expect, test } from '@jest/globals'
import { type Pod, subjectOfPod, subjectOfWorkload } from '../../../src/cli/explain/subject.ts'

const metadata = { name: 'web-1', namespace: 'team-a', uid: 'uid', resourceVersion: '1' }
const waiting = { reason: 'ImagePullBackOff', message: 'words of the runtime' }

test('a pod has the images of all its containers, and of volumes, with what the kubelet says of each', () => {
  const pod: Pod = {
    metadata: { ...metadata, creationTimestamp: '2026-01-02T03:04:05Z' },
    spec: {
      serviceAccountName: 'builder',
      imagePullSecrets: [{ name: 'mine' }, {}],
      initContainers: [{ name: 'setup', image: 'setup:1' }],
      containers: [{ name: 'app', image: 'app:1' }],
      ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
      volumes: [{ name: 'model', image: { reference: 'model:1' } }, { name: 'tmp' }],
    },
    status: {
      initContainerStatuses: [{ name: 'setup', imageID: 'setup@sha256:ab' }],
      containerStatuses: [{ name: 'app', imageID: '', state: { waiting } }],
    },
  }
  const { images, ...rest } = subjectOfPod(pod)
  expect(images).toEqual([
    { user: 'init container setup', image: 'setup:1', pulled: true, waiting: undefined },
    { user: 'container app', image: 'app:1', pulled: false, waiting },
    { user: 'ephemeral container debug', image: 'debug:1', pulled: false, waiting: undefined },
    { user: 'volume model', image: 'model:1', pulled: false, waiting: undefined },
  ])
  expect(rest).toMatchObject({ name: 'pod/web-1', serviceAccount: 'builder', pullSecrets: ['mine', ''] })
  expect(rest.pod?.createdAt).toBe(Date.parse('2026-01-02T03:04:05Z'))
})

test('a pod of a controller knows who makes another', () => {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'uid', controller: true }]
  expect(subjectOfPod({ metadata: { ...metadata, ownerReferences } }).pod?.controller).toBe('ReplicaSet/web')
})

test('a workload and a CronJob give the pod that they would make', () => {
  const template = { spec: { containers: [{ name: 'app', image: 'app:1' }] } }
  for (const spec of [{ template }, { jobTemplate: { spec: { template } } }]) {
    expect(subjectOfWorkload('job', { metadata, spec }, [])).toMatchObject({
      name: 'job/web-1',
      serviceAccount: 'default',
      pod: undefined,
      images: [{ user: 'container app', image: 'app:1' }],
    })
  }
})

test('of a workload those pods are stuck that are its own and cannot pull', () => {
  const pod = (name: string, app: string, reason: string): Pod => ({
    metadata: { ...metadata, name, labels: { app } },
    spec: { containers: [{ name: 'app', image: 'app:1' }] },
    status: { containerStatuses: [{ name: 'app', state: { waiting: { reason, message: '' } } }] },
  })
  const pods = [
    pod('b', 'web', 'ErrImagePull'),
    pod('a', 'web', 'ImagePullBackOff'),
    pod('c', 'other', 'ErrImagePull'),
    pod('d', 'web', 'ContainerCreating'),
  ]
  const workload = { metadata, spec: { selector: { matchLabels: { app: 'web' } } } }
  expect(subjectOfWorkload('deployment', workload, pods).stuckPods).toEqual(['a', 'b'])
})

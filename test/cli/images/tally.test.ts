import { expect, test } from '@jest/globals'
import type { Pod } from '../../../src/cli/explain/subject.ts'
import { countPod, type Tally } from '../../../src/cli/images/tally.ts'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`

function pod(given: Pick<Pod, 'spec' | 'status'>, namespace = 'team-a'): Pod {
  return { metadata: { name: 'web-1', namespace, uid: 'uid', resourceVersion: '1' }, ...given }
}

/** A pod of one container `app` with this image, of which the kubelet says this. */
function running(image: string, imageID: string | undefined, namespace?: string): Pod {
  const containerStatuses = [{ name: 'app', ...(imageID !== undefined && { imageID }) }]
  return pod({ spec: { containers: [{ name: 'app', image }] }, status: { containerStatuses } }, namespace)
}

function tally(...pods: Pod[]): Record<string, { digests: string[]; pods: Record<string, number> }> {
  const images: Tally = new Map()
  for (const each of pods) countPod(images, each)
  return Object.fromEntries(
    [...images].map(([image, seen]) => [image, { digests: [...seen.digests], pods: Object.fromEntries(seen.pods) }]),
  )
}

test('images are those of containers of all kinds, and of volumes', () => {
  const spec = {
    initContainers: [{ name: 'setup', image: 'setup:1' }],
    containers: [{ name: 'app', image: 'app:1' }],
    ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
    volumes: [{ name: 'model', image: { reference: 'model:1' } }, { name: 'tmp' }],
  }
  const status = {
    initContainerStatuses: [{ name: 'setup', imageID: `docker.io/library/setup@${digest('a')}` }],
    ephemeralContainerStatuses: [{ name: 'debug', imageID: `docker.io/library/debug@${digest('b')}` }],
  }
  expect(tally(pod({ spec, status }))).toEqual({
    'setup:1': { digests: [digest('a')], pods: { 'team-a': 1 } },
    'app:1': { digests: [], pods: { 'team-a': 1 } },
    'debug:1': { digests: [digest('b')], pods: { 'team-a': 1 } },
    'model:1': { digests: [], pods: { 'team-a': 1 } },
  })
})

test('a pod counts once for an image, however many of its containers have it', () => {
  const twice = [
    { name: 'app', image: 'app:1' },
    { name: 'side', image: 'app:1' },
  ]
  expect(tally(pod({ spec: { containers: twice } }))).toEqual({ 'app:1': { digests: [], pods: { 'team-a': 1 } } })
})

test('pods are counted by namespace, and what a tag has been is told once each', () => {
  const pods = [
    running('app:1', `docker.io/library/app@${digest('a')}`),
    running('app:1', `docker.io/library/app@${digest('b')}`),
    running('app:1', `docker.io/library/app@${digest('a')}`, 'team-b'),
  ]
  expect(tally(...pods)).toEqual({
    'app:1': { digests: [digest('a'), digest('b')], pods: { 'team-a': 2, 'team-b': 1 } },
  })
})

test.each([
  ['dockershim wrote', `docker-pullable://app@${digest('a')}`, [digest('a')]],
  ['a mirror of another hash gives', `app@sha512:${'a'.repeat(128)}`, [`sha512:${'a'.repeat(128)}`]],
  ['the runtime calls an image that was loaded into the node', digest('a'), []],
  ['the kubelet does not know yet', '', []],
  ['no kubelet has written', undefined, []],
  ['somebody has forged', `app@sha256:${'a'.repeat(64)}\u001b[31m`, []],
])('the digest in what %s', (_, imageID, digests) => {
  expect(tally(running('app:1', imageID))['app:1']?.digests).toEqual(digests)
})

test('a pod without a spec has no images', () => {
  expect(tally(pod({}))).toEqual({})
})

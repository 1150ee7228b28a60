import { expect, test } from '@jest/globals'
import { type Known, type RunningImage, runningImages, uncovered } from '../../../src/cli/images/running.ts'

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

/** The image in a pod of team-b, and two of team-a. */
function one(image: string, known: Partial<Known> = {}): RunningImage {
  const pods = new Map([
    ['team-b', 1],
    ['team-a', 2],
  ])
  const seen = { digests: new Set(['sha256:b', 'sha256:a']), pods }
  const [only] = runningImages(new Map([[image, seen]]), { coverage: () => [], trusted: [], ...known })
  if (only === undefined) throw new Error('there is none')
  return only
}

test.each([
  ['nginx', 'docker.io', 'latest'],
  ['nginx:latest', 'docker.io', 'latest'],
  ['acme/app:1', 'docker.io', 'tag'],
  ['registry.example.com:5000/app', 'registry.example.com:5000', 'latest'],
  [`ghcr.io/acme/app:latest@${digest}`, 'ghcr.io', 'digest'],
  [`ghcr.io/acme/app@${digest}`, 'ghcr.io', 'digest'],
  ['https://ghcr.io/acme/app', undefined, undefined],
])('%s is of %s, named by %s', (image, registry, by) => {
  expect(one(image)).toMatchObject({ image, registry, by })
})

test('pods, namespaces and digests are in order, with the credentials of each namespace', () => {
  const coverage = (namespace: string, image: string) => {
    expect(image).toBe('ghcr.io/acme/app')
    return namespace === 'team-a' ? ['two', 'one'] : ['two']
  }
  const image = one('ghcr.io/acme/app:1', { coverage })
  expect(image).toMatchObject({
    digests: ['sha256:a', 'sha256:b'],
    pods: 3,
    credentials: ['one', 'two'],
    namespaces: [
      { name: 'team-a', pods: 2, credentials: ['two', 'one'] },
      { name: 'team-b', pods: 1, credentials: ['two'] },
    ],
  })
  expect(uncovered(image)).toEqual([])
})

test('where it runs without a credential is told', () => {
  const image = one('ghcr.io/acme/app:1', { coverage: (namespace) => (namespace === 'team-a' ? ['one'] : []) })
  expect([image.credentials, uncovered(image)]).toEqual([['one'], ['team-b']])
})

test('what is no name of an image is covered by none, and not trusted', () => {
  const image = one('ghcr.io/acme/App', { coverage: () => ['one'], trusted: ['ghcr.io'] })
  expect([image.credentials, uncovered(image), image.trusted]).toEqual([[], ['team-a', 'team-b'], 'no'])
})

test('what is not known is not told as none', () => {
  const image = one('nginx', { coverage: undefined, trusted: undefined })
  expect([image.credentials, uncovered(image), image.trusted]).toEqual([undefined, [], 'unknown'])
})

test.each([
  [['docker.io/library', 'ghcr.io/acme'], 'nginx', 'yes'],
  [['docker.io/library', 'ghcr.io/acme'], 'ghcr.io/acmeevil/app', 'no'],
  [[], 'nginx', 'no'],
])('of the list %j %s is trusted: %s', (trusted, image, answer) => {
  expect(one(image, { trusted }).trusted).toBe(answer)
})

test('images are in the order of their names', () => {
  const tally = new Map(['b', 'a:2', 'a:1'].map((name) => [name, { digests: new Set<string>(), pods: new Map() }]))
  const images = runningImages(tally, { coverage: undefined, trusted: undefined })
  expect(images.map(({ image }) => image)).toEqual(['a:1', 'a:2', 'b'])
})

/** In which objects, and where in them, the policy for trusted registries finds images; and what of an object it leaves alone. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sharedCluster } from '../cluster/shared.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab } from '../controller/lab.ts'
import { type Answer, mergePatch } from '../support/api.ts'
import { podsPath } from './policies.ts'
import { container, forbidden, podOf, Trusted, untrusted } from './trusted.ts'

const good = 'ghcr.io/acme/app:1'
const bad = 'ghcr.io/acmeevil/app:1'
const strategicPatch = 'application/strategic-merge-patch+json'

let lab: Lab
let trusted: Trusted
/** Of the mode deny. */
let denied: string

beforeAll(async () => {
  lab = new Lab(sharedCluster())
  trusted = new Trusted(lab)
  await trusted.install({ registries: 'ghcr.io/acme' })
  denied = await trusted.namespace('denied', 'deny')
})

afterAll(async () => {
  await trusted.remove()
  await lab.close()
})

/** A template of pods, with this as its spec. */
const template = (spec: object) => ({ metadata: { labels: { app: 'tried' } }, spec })
const none = { replicas: 0 }
const selector = { matchLabels: { app: 'tried' } }
const job = (spec: object) => ({ template: template({ restartPolicy: 'Never', ...spec }) })

/** Kind → where it is, and an object of it with this as the spec of its pods, which it makes none of. */
const kinds: Record<string, [path: string, object: (spec: object) => object]> = {
  Pod: ['api/v1', (spec) => ({ spec })],
  PodTemplate: ['api/v1', (spec) => ({ template: template(spec) })],
  ReplicationController: [
    'api/v1',
    (spec) => ({ spec: { ...none, selector: { app: 'tried' }, template: template(spec) } }),
  ],
  Deployment: ['apis/apps/v1', (spec) => ({ spec: { ...none, selector, template: template(spec) } })],
  StatefulSet: [
    'apis/apps/v1',
    (spec) => ({ spec: { ...none, serviceName: 'tried', selector, template: template(spec) } }),
  ],
  DaemonSet: ['apis/apps/v1', (spec) => ({ spec: { selector, template: template(spec) } })],
  ReplicaSet: ['apis/apps/v1', (spec) => ({ spec: { ...none, selector, template: template(spec) } })],
  Job: ['apis/batch/v1', (spec) => ({ spec: { ...job(spec), suspend: true } })],
  CronJob: ['apis/batch/v1', (spec) => ({ spec: { schedule: '0 0 * * *', jobTemplate: { spec: job(spec) } } })],
}

function collectionOf(kind: string, namespace: string): string {
  return `/${kinds[kind]?.[0]}/namespaces/${namespace}/${kind.toLowerCase()}s`
}

function objectOf(kind: string, spec: object, name = 'tried'): object {
  return { apiVersion: kinds[kind]?.[0].replace(/^apis?\//, ''), kind, metadata: { name }, ...kinds[kind]?.[1](spec) }
}

/** Where an image can be named, in an otherwise good pod. */
const places: Record<string, (image: string) => object> = {
  container: (image) => ({ containers: [container(good), container(image, 'second')] }),
  'init container': (image) => ({ containers: [container(good)], initContainers: [container(image, 'init')] }),
  volume: (image) => ({ containers: [container(good)], volumes: [{ name: 'v', image: { reference: image } }] }),
}

describe('an image is looked at', () => {
  const all = Object.keys(kinds).flatMap((kind) => Object.keys(places).map((place) => ({ kind, place })))

  test.each(all)('of a $kind, in a $place', async ({ kind, place }) => {
    const path = `${collectionOf(kind, denied)}?dryRun=All`
    const create = (image: string) => trusted.api('POST', path, objectOf(kind, places[place]?.(image) ?? {}))
    expect(await create(bad)).toMatchObject(forbidden(untrusted))
    expect(await create(good)).toMatchObject({ status: 201 })
  })

  test('when it is changed in a pod, or added to one as an ephemeral container', async () => {
    const path = podsPath(denied)
    expect((await trusted.api('POST', path, podOf({ containers: [container(good)] }, 'changed'))).status).toBe(201)
    const patch = (image: string) =>
      trusted.api('PATCH', `${path}/changed`, { spec: { containers: [{ name: 'main', image }] } }, strategicPatch)
    const debug = (image: string) =>
      trusted.api(
        'PATCH',
        `${path}/changed/ephemeralcontainers`,
        { spec: { ephemeralContainers: [container(image, `debug-${image.length}`)] } },
        strategicPatch,
      )
    for (const write of [patch, debug]) {
      expect(await write(bad)).toMatchObject(forbidden(untrusted))
      expect(await write('ghcr.io/acme/other')).toMatchObject({ status: 200 })
    }
  })
})

describe('what was there before its namespace was labelled', () => {
  let namespace: string

  const patch = (kind: string, body: object): Promise<Answer> =>
    trusted.api('PATCH', `${collectionOf(kind, namespace)}/old`, body, mergePatch)

  /** With these containers, at the place where the kind has them. */
  const withContainers = (kind: string, containers: object[]) => (kinds[kind]?.[1] ?? (() => ({})))({ containers })

  const stored = [
    'PodTemplate',
    'ReplicationController',
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'ReplicaSet',
    'CronJob',
  ]

  beforeAll(async () => {
    namespace = await trusted.namespace('old', 'audit')
    for (const kind of [...stored, 'Pod', 'Job']) {
      const object = objectOf(kind, { containers: [container(bad)] }, 'old')
      const made = await trusted.api('POST', collectionOf(kind, namespace), object)
      expect([kind, made.status, made.body.message]).toEqual([kind, 201, undefined])
    }
    await lab.label(namespace, { [`regcred.dev/${trusted.name}`]: 'deny' })
    await eventually(async () => expect(await trusted.pod(namespace, bad)).toMatchObject(forbidden(untrusted)))
  })

  test.each([...stored, 'Pod', 'Job'])('a %s can still be labelled', async (kind) => {
    expect(await patch(kind, { metadata: { labels: { team: 'a' } } })).toMatchObject({ status: 200 })
  })

  test.each(stored)('a %s gets no other untrusted image, and no further one', async (kind) => {
    const other = container('evil.example.com/x')
    expect(await patch(kind, withContainers(kind, [other]))).toMatchObject(forbidden(/evil\.example\.com\/x\. /))
    const further = [container(bad), { ...other, name: 'second' }]
    expect(await patch(kind, withContainers(kind, further))).toMatchObject(forbidden(/: evil\.example\.com\/x\. /))
  })

  test('a Deployment can be scaled, but makes no pod of it any more, until it has a trusted one', async () => {
    expect(await patch('Deployment', { spec: { replicas: 1 } })).toMatchObject({ status: 200 })
    const replicaSets = async () => (await trusted.api('GET', collectionOf('ReplicaSet', namespace))).body.items ?? []
    await eventually(async () =>
      expect(JSON.stringify(await replicaSets())).toMatch(/ReplicaFailure.*not from a trusted registry/),
    )
    expect(await patch('Deployment', withContainers('Deployment', [container(good)]))).toMatchObject({ status: 200 })
    expect(await patch('Deployment', { spec: { replicas: 1 } })).toMatchObject({ status: 200 })
    const pods = async () => (await trusted.api('GET', podsPath(namespace))).body.items ?? []
    await eventually(async () => expect(JSON.stringify(await pods())).toContain(`"image":"${good}"`))
  })
})

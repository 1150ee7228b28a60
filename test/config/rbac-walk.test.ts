/**
 * All that can be done with a Kubernetes API, by its own discovery, asked and tried with the operator's token: what the table
 * of needs does not name is refused. On a control plane of its own, where no other test has given it more.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { systemNamespace } from '../../src/api/names.ts'
import { needs } from '../../src/cli/doctor/needs.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { type Answer, type Api, mergePatch, openApi } from '../support/api.ts'
import { inParallel } from '../support/in-parallel.ts'
import { type Action, isNeeded, write } from './needs.ts'

let cluster: OwnedCluster
let operator: Api
let resources: Resource[]

interface Resource {
  group: string
  version: string
  /** `pods`, or `pods/log`. */
  name: string
  namespaced: boolean
  verbs: readonly string[]
}

const other = 'somebody'
const everyVerb = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']

/** What RBAC knows and discovery does not list. */
const hidden: Action[] = [
  ...['escalate', 'bind'].flatMap((verb) =>
    ['roles', 'clusterroles'].map((resource) => ({ verb, group: 'rbac.authorization.k8s.io', resource })),
  ),
  ...['users', 'groups', 'serviceaccounts'].map((resource) => ({ verb: 'impersonate', group: '', resource })),
  ...['uids', 'userextras/scopes'].map((resource) => ({
    verb: 'impersonate',
    group: 'authentication.k8s.io',
    resource,
  })),
  ...['approve', 'sign', 'attest'].map((verb) => ({ verb, group: 'certificates.k8s.io', resource: 'signers' })),
  ...[...everyVerb, '*'].map((verb) => ({ verb, group: '*', resource: '*' })),
]

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
  await cluster.kubectl('create', 'namespace', other)
  operator = openApi(await cluster.kubeconfigFor({ serviceAccount: 'regcred-operator', namespace: systemNamespace }))
  resources = await discover(openApi(cluster.adminKubeconfig))
})

afterAll(async () => {
  await cluster.stop()
})

/** Every resource and subresource, of every version. */
async function discover(api: Api): Promise<Resource[]> {
  const { groups } = (await api('GET', '/apis')).body as unknown as {
    groups: { versions: { groupVersion: string }[] }[]
  }
  const groupVersions = ['v1', ...groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion))]
  const lists = groupVersions.map(async (groupVersion) => {
    const [version = '', group = ''] = groupVersion.split('/').reverse()
    const { body } = await api('GET', pathOf({ group, version }))
    return (body.resources as Omit<Resource, 'group' | 'version'>[]).map((each) => ({ ...each, group, version }))
  })
  return (await Promise.all(lists)).flat()
}

function pathOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`
}

/** A name that nothing has, and those that the table names. */
function namesOf({ group, name }: Resource): (string | undefined)[] {
  const named = needs.filter((need) => need.group === group && need.resource === name)
  return [undefined, 'tried', ...new Set(named.flatMap(({ names = [] }) => names))]
}

async function mayBy(review: object): Promise<boolean> {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const { status, body } = await operator('POST', path, { spec: review })
  expect(status).toBe(201)
  return (body.status as { allowed: boolean }).allowed
}

test('asked about everything that there is, the API server grants what the table of needs says and no more', async () => {
  const listed = resources.flatMap((resource) =>
    [undefined, ...(resource.namespaced ? [systemNamespace, other] : [])].flatMap((namespace) =>
      namesOf(resource).flatMap((name) =>
        [...new Set([...everyVerb, ...resource.verbs])].map((verb) => ({
          ...{ verb, group: resource.group, resource: resource.name },
          ...(namespace && { namespace }),
          ...(name && { name }),
        })),
      ),
    ),
  )
  const actions: Action[] = [...listed, ...hidden, ...hidden.map((each) => ({ ...each, namespace: systemNamespace }))]
  expect(actions.length).toBeGreaterThan(4_000)
  const granted: string[] = []
  await inParallel(actions, 32, async (action) => {
    const [resource, subresource] = action.resource.split('/')
    if (await mayBy({ resourceAttributes: { ...action, resource, subresource } })) granted.push(write(action))
  })
  expect(new Set(granted)).toEqual(new Set(actions.filter(isNeeded).map(write)))
})

test('of the paths that are no resources it sees those that everybody sees', async () => {
  const may = (verb: string, path: string) => mayBy({ nonResourceAttributes: { verb, path } })
  for (const path of ['/metrics', '/logs/', '/debug/pprof/profile', '/configz', '/', '*']) {
    expect([path, await may('get', path)]).toEqual([path, false])
  }
  for (const path of ['/version', '/healthz', '/apis']) {
    expect([path, await may('get', path), await may('post', path)]).toEqual([path, true, false])
  }
})

interface Attempt {
  action: Action
  send(): Promise<Answer>
}

/** Requests for the verbs that discovery lists of a resource. What they would change is not stored, nor there. */
function attempts({ group, version, name: resource, namespaced, verbs }: Resource): Attempt[] {
  const [plural, subresource] = resource.split('/')
  const tail = subresource ? `/${subresource}` : ''
  const object = { metadata: { name: 'tried' } }
  return [...(namespaced ? [systemNamespace, other] : []), undefined].flatMap((namespace) => {
    const collection = `${pathOf({ group, version })}${namespace ? `/namespaces/${namespace}` : ''}/${plural}`
    const one = `${collection}/tried${tail}`
    const dryRun = 'dryRun=All'
    const requests: Record<string, () => Promise<Answer>> = {
      list: () => operator('GET', collection),
      watch: () => operator('GET', `${collection}?watch=1&timeoutSeconds=1`),
      get: () => operator('GET', one),
      create: () => operator('POST', `${subresource ? one : collection}?${dryRun}`, object),
      update: () => operator('PUT', `${one}?${dryRun}`, object),
      patch: () => operator('PATCH', `${one}?${dryRun}`, {}, mergePatch),
      delete: () => operator('DELETE', `${one}?${dryRun}`),
      deletecollection: () => operator('DELETE', `${collection}?${dryRun}`),
    }
    // Of all namespaces at once there are but these two.
    const possible = namespaced && !namespace ? ['list', 'watch'] : Object.keys(requests)
    return possible
      .filter((verb) => verbs.includes(verb))
      .map((verb) => ({
        action: {
          ...{ verb, group, resource },
          ...(namespace && { namespace }),
          ...(['get', 'update', 'patch', 'delete'].includes(verb) || subresource ? { name: 'tried' } : {}),
        },
        send: requests[verb] as () => Promise<Answer>,
      }))
  })
}

test('tried, everything outside of the table is refused, and nothing in it', async () => {
  const all = resources.flatMap(attempts)
  expect(all.length).toBeGreaterThan(500)
  const wrong: string[] = []
  await inParallel(all, 32, async ({ action, send }) => {
    const { status, body } = await send()
    const refused = status === 403 && /cannot \w+ resource/.test(body.message ?? '')
    if (refused === isNeeded(action)) wrong.push(`${write(action)}: ${status} ${body.message}`)
  })
  expect(wrong).toEqual([])
})

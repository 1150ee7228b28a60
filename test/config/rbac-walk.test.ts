/**
 * All that can be done with a Kubernetes API, by its own discovery, asked and tried with the operator's token; and the
 * operator's life, in whose requests every right has to be seen. On a control plane of its own: the audit log is then its.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { systemNamespace } from '../../src/api/names.ts'
import type { AuditEntry } from '../cluster/audit.ts'
import { type OwnedCluster, startCluster } from '../cluster/cluster.ts'
import { installOperator } from '../cluster/install.ts'
import { startOperator } from '../cluster/operator.ts'
import { eventually } from '../cluster/wait.ts'
import { Lab, serviceAccountPath } from '../controller/lab.ts'
import { makePod, missing, reasons, wait } from '../controller/pods-lab.ts'
import { requestsSince } from '../controller/traffic.ts'
import type { HttpProxy, Interference } from '../kube/http-proxy.ts'
import { startProxy } from '../process/proxied.ts'
import { type Answer, type Api, mergePatch, openApi } from '../support/api.ts'
import { inParallel } from '../support/in-parallel.ts'
import { type Action, covers, everybodys, type Need, needs } from './needs.ts'

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

function isNeeded(action: Action): boolean {
  return [...needs, ...everybodys].some((need) => covers(need, action))
}

function write({ verb, group, resource, namespace = '*', name = '*' }: Action): string {
  return `${verb} ${group}/${resource} ${namespace}/${name}`
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

/** Somebody is faster than the operator, once. */
function overtake(proxy: HttpProxy, lab: Lab, namespace: string): void {
  const path = serviceAccountPath(namespace)
  const between: Interference = (response, forward) => {
    const passed = lab.patch(path, { metadata: { labels: { faster: 'true' } } }).then(forward)
    void passed.then(({ code, body }) => response.writeHead(code).end(body))
  }
  let done = false
  proxy.interfere = (method, url) => {
    if (done || method !== 'PATCH' || url.pathname !== path) return undefined
    done = true
    return between
  }
}

/** What happens to a credential in its life: served in the face of others, with a pod that is stuck, rotated twice, deleted. */
async function live(lab: Lab, proxy: HttpProxy): Promise<void> {
  const start = new Date()
  const namespace = await lab.namespace('life')
  overtake(proxy, lab, namespace)
  const pod = await makePod(lab, namespace, 'early')
  await wait(lab, pod, missing)
  const login = { username: 'robot', password: 'first-login-of-life' }
  const source = await lab.source('life', { 'ghcr.io': login })
  const namespaces = { include: [namespace], optIn: true }
  const credential = await lab.credential('life', { source: { secretRef: { name: source } }, namespaces })
  await lab.ready(credential)
  await eventually(async () => expect(await reasons(lab, pod)).toEqual(['NotReferenced']))
  for (const password of ['second-login-of-life', 'third-login-of-life']) {
    const next = { 'ghcr.io': { ...login, password } }
    await lab.rotate(source, next)
    await eventually(async () => expect(await lab.logins(namespace)).toEqual(next))
  }
  const counted = async () =>
    (await requestsSince(cluster, start)).some(({ verb, resource }) => `${verb} ${resource}` === 'patch events')
  await eventually(counted, { describe: 'the Event of the second rotation' })
  await lab.deleteCredential(credential)
  await eventually(async () => expect(await lab.secret(namespace)).toBeNull())
}

/** What a request of the audit log has been authorized for. */
function actionsOf({ verb, resource, subresource, namespace, name, requestURI, code }: AuditEntry): Action[] {
  const [, group = ''] = /^\/apis\/([^/]+)\//.exec(requestURI) ?? []
  const action = {
    ...{ verb, group, resource: subresource ? `${resource}/${subresource}` : resource },
    ...(namespace && { namespace }),
    ...(name && { name }),
  }
  return verb === 'patch' && code === 201 ? [action, { ...action, verb: 'create' }] : [action] // an apply that creates
}

test('every right is used in the life of the operator, and no other is asked for', async () => {
  const start = new Date()
  const lab = new Lab(cluster)
  const { proxy, kubeconfig } = await startProxy(cluster)
  const running = await startOperator({ cluster, kubeconfig, replica: true })
  try {
    await live(lab, proxy)
    await running.stop()
  } finally {
    await running.kill()
    await proxy.close()
    await lab.close()
  }
  const requests = (await requestsSince(cluster, start)).filter(({ userAgent }) =>
    userAgent.startsWith('regcred-operator/'),
  )
  expect(requests.filter(({ code }) => code === 403)).toEqual([])
  const actions = requests.filter(({ resource }) => resource !== '').flatMap(actionsOf)
  expect(actions.filter((action) => !isNeeded(action)).map(write)).toEqual([])
  const unused = ({ verbs, ...need }: Need) =>
    verbs
      .filter((verb) => !actions.some((action) => covers({ ...need, verbs: [verb] }, action)))
      .map((verb) => `${verb}: ${need.why}`)
  expect(needs.filter(({ unseen }) => unseen === undefined).flatMap(unused)).toEqual([])
})

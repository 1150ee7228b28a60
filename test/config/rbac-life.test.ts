/**
 * The life of the operator, in whose requests every right of the table of needs has to be seen. On a control plane of its
 * own, whose audit log tells of this operator alone.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Need, needs } from '../../src/cli/doctor/needs.ts'
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
import { type Action, covers, isNeeded, unseen, write } from './needs.ts'

let cluster: OwnedCluster

beforeAll(async () => {
  cluster = await startCluster({ say: () => {} })
  await installOperator(cluster)
})

afterAll(async () => {
  await cluster.stop()
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
  expect(needs.filter(({ resource }) => unseen[resource] === undefined).flatMap(unused)).toEqual([])
})

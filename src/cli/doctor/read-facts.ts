/** Reads what a diagnosis needs, with the user's rights. */
import { group, operatorName, plural, trustedLabel } from '../../api/names.ts'
import type { RegistryCredential } from '../../api/registry-credential.ts'
import { observeCredential } from '../../controller/observe.ts'
import { credentialsPath } from '../../controller/watches.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/objects.ts'
import { type Connection, cliManager } from '../connection.ts'
import { listAll, type Read, tryRead, whatWasRead } from '../reads.ts'
import { allowedNames, readDeployment, valuesInArguments } from '../secret-names.ts'
import { readTrustedList } from '../trusted-list.ts'
import type { CustomResourceDefinition, Facts, Lease, Pod, Policies, TrustedList } from './facts.ts'
import { evictionNeed, identityNeed, type Need, needsOf, trustedNeed } from './needs.ts'
import { accountOf } from './operator-checks.ts'
import { trustedBindings } from './trusted-check.ts'

const admissionApi = '/apis/admissionregistration.k8s.io/v1'

/** @param version of this plugin */
export async function readFacts(connection: Connection, version: string): Promise<Facts> {
  const { client, operatorNamespace } = connection
  const [clocks, server, crd, credentials, deployment, pods, lease, validating, mutating, trusting] = await Promise.all(
    [
      readClocks(client),
      client.get<Facts['server']>('/version'),
      tryRead(
        client.get<CustomResourceDefinition>(
          `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`,
        ),
      ),
      tryRead(listAll<RegistryCredential>(client, credentialsPath)),
      readDeployment(connection),
      tryRead(
        listAll<Pod>(client, `/api/v1/namespaces/${operatorNamespace}/pods`, {
          query: { labelSelector: `app.kubernetes.io/name=${operatorName}` },
        }),
      ),
      tryRead(client.get<Lease>(`/apis/coordination.k8s.io/v1/namespaces/${operatorNamespace}/leases/${operatorName}`)),
      readPolicies(client, 'validating'),
      readPolicies(client, 'mutating'),
      tryRead(listAll(client, '/api/v1/namespaces', { query: { labelSelector: trustedLabel }, metadata: true })),
    ],
  )
  const known = whatWasRead(credentials) ?? []
  const deployed = whatWasRead(deployment)
  const secretNames = allowedNames(deployed, known.map(observeCredential))
  const lists = deployed ? valuesInArguments(deployed, '--trusted-registries') : []
  const needs = needsFor(known, secretNames, lists)
  const missingRights = await tryRead(readMissingRights(connection, accountOf(deployment), needs))
  const trustedLists = validating.state === 'read' ? await readTrustedLists(client, validating.value) : []
  return {
    ...{ version, operatorNamespace, clocks, server, crd, credentials, deployment },
    ...{ pods, lease, validating, mutating, missingRights, secretNames, trustedLists, trusting },
  }
}

/** What everybody may ask: the answer has the time at which the API server made it. */
async function readClocks(client: KubeClient): Promise<Facts['clocks']> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  const start = Date.now()
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  const { metadata } = await client.create<KubeObject>(path, review, { fieldManager: cliManager })
  const ours = (start + Date.now()) / 2
  return { ours, server: Date.parse(metadata.creationTimestamp ?? '') + 500 } // of a second, the middle
}

async function readPolicies(client: KubeClient, kind: 'validating' | 'mutating'): Promise<Read<Policies>> {
  const read = async (): Promise<Policies> => {
    const [policies, bindings] = await Promise.all([
      listAll<Policies['policies'][number]>(client, `${admissionApi}/${kind}admissionpolicies`),
      listAll<Policies['bindings'][number]>(client, `${admissionApi}/${kind}admissionpolicybindings`),
    ])
    return { policies, bindings }
  }
  return tryRead(read())
}

function readTrustedLists(client: KubeClient, policies: Policies): Promise<TrustedList[]> {
  const named = Map.groupBy(trustedBindings(policies), ({ spec: { paramRef = {} } }) =>
    [paramRef.namespace, paramRef.name].join('/'),
  )
  return Promise.all(
    [...named].map(async ([key, bindings]) => {
      const [namespace = '', name = ''] = key.split('/')
      const names = bindings.map(({ metadata }) => metadata.name)
      return { namespace, name, bindings: names, lines: await readTrustedList(client, namespace, name) }
    }),
  )
}

/**
 * What config/default grants, and the components that these credentials cannot do without.
 * @param lists ConfigMaps in which the operator is to keep trusted registries
 */
function needsFor(
  credentials: readonly RegistryCredential[],
  secretNames: readonly string[],
  lists: readonly string[],
): Need[] {
  const identities = credentials.flatMap(({ spec }) => serviceAccountsOf(spec.source))
  return [
    ...needsOf(secretNames),
    ...(credentials.some(({ spec }) => spec.healPods === 'Evict') ? [evictionNeed] : []),
    ...(identities.length > 0 ? [identityNeed([...new Set(identities)])] : []),
    ...(lists.length > 0 ? [trustedNeed(lists)] : []),
  ]
}

/** The names in all `serviceAccountName` of a source, however deep. */
function serviceAccountsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([field, each]) =>
    field === 'serviceAccountName' && typeof each === 'string' ? each : serviceAccountsOf(each),
  )
}

async function readMissingRights(
  { client, operatorNamespace }: Connection,
  account: string,
  needs: readonly Need[],
): Promise<string[]> {
  const questions = needs.flatMap((need) =>
    need.verbs.flatMap((verb) => (need.names ?? [undefined]).map((name) => ({ need, verb, name }))),
  )
  const answers = await Promise.all(
    questions.map(async ({ need, verb, name }) => {
      const [resource, subresource] = need.resource.split('/')
      const namespace = need.own && operatorNamespace
      const resourceAttributes = { verb, group: need.group, resource, subresource, namespace, name }
      const groups = ['system:serviceaccounts', `system:serviceaccounts:${operatorNamespace}`, 'system:authenticated']
      const spec = { user: `system:serviceaccount:${operatorNamespace}:${account}`, groups, resourceAttributes }
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec }
      const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
      const { status } = await client.create<{ status: { allowed: boolean } }>(path, review, {
        fieldManager: cliManager,
      })
      const what = `${verb} ${need.resource}${name ? ` "${name}"` : ''}${need.own ? ` in ${operatorNamespace}` : ''}`
      return status.allowed ? [] : `${what} (${need.why})`
    }),
  )
  return answers.flat()
}

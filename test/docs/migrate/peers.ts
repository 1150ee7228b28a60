/**
 * What other tools leave in a cluster, and write while they run, as far as bench/peers.md and their users tell. The tools
 * themselves are not run: each is a few writes of the same kind, in the same order.
 */
import { isNotFound } from '../../../src/kube/api-error.ts'
import type { KubeList, KubeObject } from '../../../src/kube/objects.ts'
import { type Lab, type Secret, type ServiceAccount, secretPath, serviceAccountPath } from '../../controller/lab.ts'

export interface Peer {
  /** In docs/how-to/migrate. */
  page: string
  /** The name of its Secrets. */
  secret: string
  /** What it runs as; its namespace may be there already. */
  deployment: { namespace: string; name: string }
  /** Its source: a Secret. */
  source: { namespace: string; name: string }
  /** What else it was installed with. */
  objects: object[]
  /** What it does for one namespace in a round of its work. */
  serve(lab: Lab, namespace: string): Promise<void>
}

export const patcher: Peer = {
  page: 'imagepullsecret-patcher.md',
  secret: 'image-pull-secret',
  deployment: { namespace: 'imagepullsecret-patcher', name: 'imagepullsecret-patcher' },
  source: { namespace: 'imagepullsecret-patcher', name: 'image-pull-secret-src' },
  objects: [],
  async serve(lab, namespace) {
    const { data } = await sourceOf(lab, this)
    const found = await lab.secret(namespace, this.secret)
    if (found !== null && JSON.stringify(found.data) !== JSON.stringify(data)) {
      await lab.client.delete(secretPath(namespace, this.secret)) // -force
    }
    await createSecret(lab, namespace, { name: this.secret }, data)
    for (const { metadata, imagePullSecrets = [] } of await accountsOf(lab, namespace)) {
      if (imagePullSecrets.some(({ name }) => name === this.secret)) continue
      const list = JSON.stringify({ imagePullSecrets: [...imagePullSecrets, { name: this.secret }] })
      await lab.cluster.kubectl(
        'patch',
        'serviceaccount',
        metadata.name,
        '-n',
        namespace,
        '--type=strategic',
        '-p',
        list,
      )
    }
  },
}

export const replicator: Peer = {
  page: 'kubernetes-replicator.md',
  secret: 'regcred',
  deployment: { namespace: 'kube-system', name: 'replicator-kubernetes-replicator' },
  source: { namespace: 'registry-system', name: 'regcred' },
  objects: [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: {
        name: 'default',
        namespace: 'registry-system',
        annotations: { 'replicator.v1.mittwald.de/replicate-to': 'team-.*' },
      },
      imagePullSecrets: [{ name: 'regcred' }],
    },
  ],
  async serve(lab, namespace) {
    if (!namespace.startsWith('team-')) return
    const { data, metadata } = await sourceOf(lab, this)
    const annotations = { 'replicator.v1.mittwald.de/replicated-from-version': metadata.resourceVersion ?? '' }
    await createSecret(lab, namespace, { name: this.secret, annotations }, data)
    const { imagePullSecrets } = await lab.client.get<ServiceAccount>(serviceAccountPath('registry-system'))
    await lab.client.mergePatch(
      serviceAccountPath(namespace),
      { metadata: { annotations }, imagePullSecrets },
      as(this),
    )
  },
}

const pullSecretPath = '/apis/ops.alexellis.io/v1/clusterpullsecrets'

export const registryCreds: Peer = {
  page: 'registry-creds.md',
  secret: 'dockerhub',
  deployment: { namespace: 'registry-creds-system', name: 'registry-creds-registry-creds-controller' },
  source: { namespace: 'registry-creds-system', name: 'seed' },
  objects: [
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'clusterpullsecrets.ops.alexellis.io' },
      spec: {
        group: 'ops.alexellis.io',
        scope: 'Cluster',
        names: { kind: 'ClusterPullSecret', plural: 'clusterpullsecrets', singular: 'clusterpullsecret' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                'x-kubernetes-preserve-unknown-fields': true,
              },
            },
          },
        ],
      },
    },
    {
      apiVersion: 'ops.alexellis.io/v1',
      kind: 'ClusterPullSecret',
      metadata: { name: 'dockerhub' },
      spec: { secretRef: { name: 'seed', namespace: 'registry-creds-system' } },
    },
  ],
  async serve(lab, namespace) {
    const { data } = await sourceOf(lab, this)
    const { apiVersion, kind, metadata } = await lab.client.get<KubeObject>(`${pullSecretPath}/${this.secret}`)
    const owner = {
      apiVersion,
      kind,
      name: metadata.name,
      uid: metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    }
    await createSecret(lab, namespace, { name: this.secret, ownerReferences: [owner] }, data)
    for (const account of await accountsOf(lab, namespace)) {
      const { imagePullSecrets = [] } = account
      if (imagePullSecrets.some(({ name }) => name === this.secret)) continue
      const { resourceVersion, name } = account.metadata
      const list = { metadata: { resourceVersion }, imagePullSecrets: [...imagePullSecrets, { name: this.secret }] }
      await lab.client.mergePatch(serviceAccountPath(namespace, name), list, as(this)).catch(ignoreConflict)
    }
  },
}

const as = ({ deployment }: Peer) => ({ fieldManager: deployment.name })

async function sourceOf(lab: Lab, { source }: Peer): Promise<Secret> {
  return await lab.client.get<Secret>(secretPath(source.namespace, source.name))
}

async function accountsOf(lab: Lab, namespace: string): Promise<ServiceAccount[]> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
  return (await lab.client.get<KubeList<ServiceAccount>>(path)).items ?? []
}

/** Nothing where it is there. */
async function createSecret(lab: Lab, namespace: string, metadata: object, data: Secret['data']): Promise<void> {
  const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson', metadata, data }
  await lab.client
    .create(`/api/v1/namespaces/${namespace}/secrets`, secret, { fieldManager: 'peer' })
    .catch(ignoreConflict)
}

function ignoreConflict(error: Error): void {
  if (!/already exists|object has been modified/.test(error.message)) throw error
}

/** Works round after round, as long as its Deployment wants a replica. @returns when it has ended */
export async function play(lab: Lab, peer: Peer): Promise<void> {
  while (await isWanted(lab, peer)) {
    const { items } = await lab.client.get<KubeList<KubeObject>>('/api/v1/namespaces')
    for (const { metadata } of items ?? []) {
      const { name } = metadata
      if (!name.startsWith('kube-') && name !== peer.source.namespace && metadata.deletionTimestamp === undefined) {
        await peer.serve(lab, name)
      }
    }
  }
}

async function isWanted(lab: Lab, { deployment: { namespace, name } }: Peer): Promise<boolean> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`
  try {
    const { spec } = await lab.client.get<KubeObject & { spec: { replicas: number } }>(path)
    return spec.replicas > 0
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

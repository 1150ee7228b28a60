/** Users of the test control plane with few rights. */
import { randomUUID } from 'node:crypto'
import type { Cluster } from '../cluster/access.ts'
import { sharedCluster } from '../cluster/shared.ts'

export interface Right {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
  resourceNames?: string[]
}

export const credentialsRight = (...verbs: string[]): Right => ({
  apiGroups: ['regcred.dev'],
  resources: ['registrycredentials'],
  verbs,
})

export const secretsRight = (...verbs: string[]): Right => ({ apiGroups: [''], resources: ['secrets'], verbs })

/** A new user's kubeconfig. @param rights in the whole cluster, or by namespace */
export async function userWith(
  rights: { cluster?: Right[]; namespaces?: Record<string, Right[]> },
  cluster: Cluster = sharedCluster(),
): Promise<string> {
  const name = `user-${randomUUID().slice(0, 8)}`
  const subjects = [{ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' }]
  const objects = [
    ...(rights.cluster ? rbac('Cluster', name, undefined, rights.cluster, subjects) : []),
    ...Object.entries(rights.namespaces ?? {}).flatMap(([namespace, rules]) =>
      rbac('', name, namespace, rules, subjects),
    ),
  ]
  if (objects.length > 0) await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  return await cluster.kubeconfigFor({ user: name })
}

function rbac(scope: 'Cluster' | '', name: string, namespace: string | undefined, rules: Right[], subjects: object[]) {
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const metadata = { name, ...(namespace !== undefined && { namespace }) }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: `${scope}Role`, name }
  return [
    { apiVersion, kind: `${scope}Role`, metadata, rules },
    { apiVersion, kind: `${scope}RoleBinding`, metadata, roleRef, subjects },
  ]
}

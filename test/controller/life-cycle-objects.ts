/** Objects of the cluster's admins that decide what the operator may do. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../../src/kube/objects.ts'
import { eventually } from '../cluster/wait.ts'
import { type Lab, operatorNamespace, secretPath, serviceAccountPath } from './lab.ts'

/** Lets the operator write Secrets of one more name, and refer to them, with what config/secret-names adds the name to. */
export async function allowSecretName(lab: Lab, secretName: string): Promise<void> {
  await widenGuard(lab, secretName)
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const metadata = { name: lab.unique('regcred-operator-secrets') }
  const installed = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
  const { rules } = await lab.client.get<{ rules: object[] }>(`${installed}/regcred-operator-secrets`)
  await lab.create(installed, {
    apiVersion,
    kind: 'ClusterRole',
    metadata,
    rules: rules.map((rule) => ({ ...rule, resourceNames: [secretName] })),
  })
  await lab.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', name: 'regcred-operator', namespace: operatorNamespace }],
  })
}

/** Adds a name to the first variable of config/guard, as kubectl: others install config/ anew. Waits until that acts. */
async function widenGuard({ client, cluster }: Lab, secretName: string): Promise<void> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/guard-serviceaccounts.regcred.dev'
  const { spec } = await client.get<Guard>(path)
  const names = spec.variables[0].expression.replace(']', `, '${secretName}']`) // other test files add theirs
  const file = join(import.meta.dirname, '..', '..', 'config', 'guard', 'serviceaccounts.yaml')
  await cluster.apply(readFileSync(file, 'utf8').replace("['regcred']", names))
  const user = `system:serviceaccount:${operatorNamespace}:regcred-operator`
  const note = JSON.stringify({ metadata: { annotations: { 'regcred.dev/managed': secretName } } })
  const patch = ['patch', 'serviceaccount', 'default', '-n', 'default', '--type=merge', '-p', note]
  await eventually(async () => void (await cluster.kubectl(...patch, '--dry-run=server', `--as=${user}`)))
}

interface Guard extends KubeObject {
  spec: { variables: [{ expression: string }, ...object[]] }
}

/** From now on no object of this kind can be changed in the namespace, by nobody. @returns ends that */
export async function refuseUpdates(
  lab: Lab,
  namespace: string,
  resource: 'serviceaccounts' | 'secrets',
): Promise<() => Promise<void>> {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const [policies, bindings] = ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'].map(
    (plural) => `/apis/${apiVersion}/${plural}`,
  ) as [string, string]
  const metadata = { name: namespace }
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: [resource] }]
  await lab.create(policies, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      matchConstraints: { resourceRules },
      validations: [{ expression: 'false', message: 'refused by the test' }],
    },
  })
  await lab.create(bindings, {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: {
      policyName: namespace,
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
    },
  })
  const path = resource === 'secrets' ? secretPath(namespace) : serviceAccountPath(namespace)
  const attempt = () => lab.patch(path, { metadata: { labels: { attempt: 'true' } } })
  await eventually(async () => {
    const refused = await attempt().then(
      () => false,
      (error: Error) => error.message.includes('refused by the test'),
    )
    if (!refused) throw new Error('the policy is not yet in force')
  })
  return async () => void (await lab.client.delete(`${bindings}/${namespace}`))
}

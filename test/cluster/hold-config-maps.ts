/**
 * When no policy with a ConfigMap as its parameter is bound for a second, an API server ends its watch of ConfigMaps and never
 * begins another one: policies that come later have no list, or that of before (kubernetes/kubernetes#130887). On a control
 * plane where tests bind such policies one after another, this one is always bound, and looks at nothing.
 */
import type { Cluster } from './access.ts'

export async function holdConfigMaps(cluster: Cluster): Promise<void> {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const metadata = { name: 'hold-config-maps.example.com' }
  const nothing = { apiGroups: ['example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothings'] }
  const policy = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: { resourceRules: [nothing] },
      validations: [{ expression: 'true' }],
    },
  }
  const binding = {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: {
      policyName: metadata.name,
      paramRef: { name: 'none', namespace: 'default', parameterNotFoundAction: 'Allow' },
      validationActions: ['Deny'],
    },
  }
  await cluster.apply([policy, binding].map((object) => JSON.stringify(object)).join('\n---\n'))
}

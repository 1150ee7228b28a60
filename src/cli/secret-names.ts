/** Which Secret names the installation may write: a setting of the operator, seen from outside. */
import { defaultSecretName, operatorName } from '../api/names.ts'
import type { ObservedCredential } from '../controller/observe.ts'
import type { KubeObject } from '../kube/objects.ts'
import type { Connection } from './connection.ts'
import { type Read, tryRead } from './reads.ts'

/** Of apps/v1 Deployment. */
export interface Deployment extends KubeObject {
  spec: {
    replicas?: number
    template: { spec: { serviceAccountName?: string; containers: { name: string; image?: string; args?: string[] }[] } }
  }
  status?: { replicas?: number; readyReplicas?: number; updatedReplicas?: number; observedGeneration?: number }
}

export function readDeployment({ client, operatorNamespace }: Connection): Promise<Read<Deployment>> {
  return tryRead(client.get<Deployment>(`/apis/apps/v1/namespaces/${operatorNamespace}/deployments/${operatorName}`))
}

/** What the Deployment's arguments give a flag such as `--secret-name`, as command-line.ts takes it. */
export function valuesInArguments({ spec }: Deployment, flag: string): string[] {
  const args = spec.template.spec.containers.flatMap(({ args = [] }) => args)
  return args.flatMap((arg, at) => {
    if (arg === flag) return args[at + 1] ?? []
    return arg.startsWith(`${flag}=`) ? arg.slice(flag.length + 1) : []
  })
}

export function namesInArguments(deployment: Deployment): string[] {
  const names = valuesInArguments(deployment, '--secret-name')
  return names.length > 0 ? names : [defaultSecretName]
}

/**
 * What the operator said of a name counts more than what its Deployment says: it may run elsewhere.
 * @param deployment undefined: it is not there or must not be read
 */
export function allowedNames(deployment: Deployment | undefined, credentials: readonly ObservedCredential[]): string[] {
  const names = new Set(deployment ? namesInArguments(deployment) : [defaultSecretName])
  for (const { secretName, generation, status } of credentials) {
    if (status?.observedGeneration !== generation) continue
    const refused = status.conditions?.some(({ reason }) => reason === 'SecretNameNotAllowed')
    if (refused) names.delete(secretName)
    else names.add(secretName)
  }
  return [...names].sort()
}

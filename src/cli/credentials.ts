/** RegistryCredentials as the API server has them, for the commands. */
import { credentialKind, groupVersion } from '../api/names.ts'
import type { Condition, RegistryCredential } from '../api/registry-credential.ts'
import { credentialsPath } from '../controller/watches.ts'
import type { KubeClient } from '../kube/client.ts'
import type { KubeObject } from '../kube/objects.ts'
import { listAll } from './reads.ts'

/** By name. @throws ApiError */
export async function listCredentials(client: KubeClient): Promise<RegistryCredential[]> {
  return (await listAll<RegistryCredential>(client, credentialsPath)).map(complete)
}

/** @throws ApiError */
export async function readCredential(client: KubeClient, name: string): Promise<RegistryCredential> {
  return complete(await client.get<RegistryCredential>(pathOf(name)))
}

export function pathOf(name: string): string {
  return `${credentialsPath}/${encodeURIComponent(name)}`
}

export function conditionOf({ status }: RegistryCredential, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

/** With its type, which the items of a list lack, and without managedFields. */
export function complete(credential: RegistryCredential): RegistryCredential {
  return withoutManagedFields({ ...credential, apiVersion: groupVersion, kind: credentialKind })
}

/** kubectl does not print them either. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

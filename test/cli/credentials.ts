/** RegistryCredentials with a status, for what is made of them. */
import type { Condition, RegistryCredential, RegistryCredentialStatus } from '../../src/api/registry-credential.ts'

const createdAt = '2026-11-30T12:00:00Z'

export function credentialWith(status?: RegistryCredentialStatus, name = 'hub'): RegistryCredential {
  return {
    metadata: { name, uid: `uid-of-${name}`, resourceVersion: '1', generation: 1, creationTimestamp: createdAt },
    spec: {
      secretName: 'regcred',
      source: { secretRef: { name } },
      serviceAccounts: ['default'],
      pods: 'Inherit',
      healPods: 'Report',
      priority: 0,
      refreshInterval: '1h',
      verify: { policy: 'Enforce' },
      suspend: false,
      deletionPolicy: 'Delete',
    },
    ...(status && { status }),
  }
}

export function condition(
  type: string,
  status: Condition['status'],
  reason: string,
  message = `${reason}.`,
): Condition {
  return { type, status, reason, message, lastTransitionTime: createdAt }
}

export function namespaces(selected: number, synced: number, failed = 0) {
  return { selected, synced, failed, summary: `${synced}/${selected}` }
}

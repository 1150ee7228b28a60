/** What is watched, and how little of it is asked for: metadata where that is enough, one name where RBAC allows but one. */
import { group, plural, version } from '../api/names.ts'
import { Cache } from '../kube/cache.ts'
import type { Caches } from './caches.ts'
import {
  observeCredential,
  observeNamespace,
  observeSecret,
  observeServiceAccount,
  observeSourceSecret,
} from './observe.ts'

export interface Watch {
  /** For logs, metrics and readiness. */
  resource: string
  path: string
  query?: Record<string, string>
  metadataOnly: boolean
  cache: Cache<unknown>
}

export const credentialsPath = `/apis/${group}/${version}/${plural}`

/** @param secretNames the Secret names that the installation allows */
export function createCaches(secretNames: readonly string[]): Caches {
  return {
    credentials: new Cache(observeCredential),
    namespaces: new Cache(observeNamespace),
    serviceAccounts: new Cache(observeServiceAccount),
    secrets: new Map(secretNames.map((name) => [name, new Cache(observeSecret)])),
    sources: new Cache(observeSourceSecret),
  }
}

/** All watches but that of the credentials themselves. */
export function watchesOf(caches: Caches, ownNamespace: string): Watch[] {
  return [
    { resource: 'namespaces', path: '/api/v1/namespaces', metadataOnly: true, cache: caches.namespaces },
    {
      resource: 'serviceaccounts',
      path: '/api/v1/serviceaccounts',
      metadataOnly: false,
      cache: caches.serviceAccounts,
    },
    {
      resource: 'sources',
      path: `/api/v1/namespaces/${ownNamespace}/secrets`,
      metadataOnly: true,
      cache: caches.sources,
    },
    ...[...caches.secrets].map(([name, cache]) => ({
      resource: `secrets/${name}`,
      path: '/api/v1/secrets',
      query: { fieldSelector: `metadata.name=${name}` },
      metadataOnly: true,
      cache,
    })),
  ]
}

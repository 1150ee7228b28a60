/** What Git holds, for kubectl: manifests of everything that a credential is about, and folders of them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Lab, type Login, operatorNamespace, unverified } from '../controller/lab.ts'

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> }
  [field: string]: unknown
}

/** As Argo CD (by label or annotation) and Flux put them on what they apply. */
export const tracking: Pick<Required<Manifest['metadata']>, 'labels' | 'annotations'> = {
  labels: {
    'app.kubernetes.io/instance': 'web',
    'kustomize.toolkit.fluxcd.io/name': 'web',
    'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
  },
  annotations: { 'argocd.argoproj.io/tracking-id': 'web:/ServiceAccount:web/default' },
}

export const logins: Record<string, Login> = { 'ghcr.io': { username: 'robot', password: 'gitops-login' } }

export interface Web {
  namespace: Manifest
  source: Manifest
  credential: Manifest
  serviceAccount: Manifest
}

/** A namespace, its ServiceAccount, a source and the credential between them, with unique names. */
export function web(lab: Lab, title: string): Web {
  const name = lab.unique(title)
  const metadata = { name, ...tracking }
  return {
    namespace: { apiVersion: 'v1', kind: 'Namespace', metadata },
    source: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata, namespace: operatorNamespace },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify({ auths: logins }) },
    },
    credential: {
      apiVersion: 'regcred.dev/v1',
      kind: 'RegistryCredential',
      metadata,
      spec: { ...unverified, source: { secretRef: { name } }, namespaces: { include: [name] } },
    },
    serviceAccount: {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { ...metadata, name: 'default', namespace: name },
    },
  }
}

/** Writes manifests into a new folder, a file each, so that kubectl takes them in this order. @returns the folder */
export function commit(parent: string, name: string, manifests: readonly Manifest[]): string {
  const folder = join(parent, name)
  mkdirSync(folder)
  for (const [index, manifest] of manifests.entries()) {
    writeFileSync(join(folder, `${index}-${manifest.kind}.json`), JSON.stringify(manifest), { mode: 0o600 })
  }
  return folder
}

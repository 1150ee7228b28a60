/** The objects that `create` makes. Pure. */
import { credentialKind, dockerConfigJsonKey, groupVersion, managedByLabel } from '../api/names.ts'
import { type Entries, encodeBase64, formatDockerConfigJson } from '../model/docker-config.ts'
import type { Selector } from './label-selector-text.ts'

/** What the flags say of a credential; undefined: left to the default. */
export interface Wanted {
  include: string[] | undefined
  exclude: string[] | undefined
  selector: Selector | undefined
  serviceAccounts: string[] | undefined
  registries: string[] | undefined
  secretName: string | undefined
  verifyImage: string | undefined
}

export interface Manifest {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
  type?: string
  data?: Record<string, string>
  spec?: object
}

export function sourceSecret(name: string, namespace: string, entries: Entries): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels: { [managedByLabel]: 'kubectl-regcred' } },
    type: 'kubernetes.io/dockerconfigjson',
    data: { [dockerConfigJsonKey]: encodeBase64(formatDockerConfigJson(entries)) },
  }
}

/** @param secret the source, in the operator's namespace */
export function credential(name: string, secret: string, wanted: Wanted): Manifest {
  const { include, exclude, selector, serviceAccounts, registries, secretName, verifyImage } = wanted
  const namespaces = { ...(include && { include }), ...(selector && { selector }), ...(exclude && { exclude }) }
  return {
    apiVersion: groupVersion,
    kind: credentialKind,
    metadata: { name },
    spec: {
      ...(secretName !== undefined && { secretName }),
      source: { secretRef: { name: secret } },
      ...(registries && { registries }),
      ...(Object.keys(namespaces).length > 0 && { namespaces }),
      ...(serviceAccounts && { serviceAccounts }),
      ...(verifyImage !== undefined && { verify: { image: verifyImage } }),
    },
  }
}

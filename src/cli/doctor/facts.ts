/** What a diagnosis is made of; what the user may not read is known to be so. */
import type { RegistryCredential } from '../../api/registry-credential.ts'
import type { KubeObject } from '../../kube/objects.ts'
import type { Read } from '../reads.ts'
import type { Deployment } from '../secret-names.ts'
import type { BindingSpec, PolicySpec } from './fingerprint.ts'

export interface Facts {
  /** Of this plugin. */
  version: string
  operatorNamespace: string
  /** Clocks, in milliseconds since 1970: ours, and the API server's at the same time, to the second. */
  clocks: { ours: number; server: number }
  server: { major: string; minor: string; gitVersion: string }
  crd: Read<CustomResourceDefinition>
  credentials: Read<readonly RegistryCredential[]>
  deployment: Read<Deployment>
  pods: Read<readonly Pod[]>
  lease: Read<Lease>
  validating: Read<Policies>
  mutating: Read<Policies>
  /** Those by which the policy for trusted registries goes. */
  trustedLists: readonly TrustedList[]
  /** Namespaces with the label of that policy. */
  trusting: Read<readonly KubeObject[]>
  /** Rights that the operator lacks, in words; forbidden: the user may not ask about others. */
  missingRights: Read<readonly string[]>
  /** The Secret names that the installation may write. */
  secretNames: readonly string[]
}

/** Of apiextensions.k8s.io/v1. */
export interface CustomResourceDefinition extends KubeObject {
  spec: { versions: { name: string; served: boolean; schema: object; subresources?: { status?: object } }[] }
  status?: { conditions?: { type: string; status: string; message?: string }[] }
}

/** Of coordination.k8s.io/v1. */
export interface Lease extends KubeObject {
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string }
}

/** Of core/v1, one of the operator's. */
export interface Pod extends KubeObject {
  status?: {
    phase?: string
    conditions?: { type: string; status: string; message?: string }[]
    containerStatuses?: { restartCount?: number; lastState?: { terminated?: { reason?: string } } }[]
  }
}

/** The admission policies of one kind, and what binds them. */
export interface Policies {
  policies: readonly (KubeObject & { spec: PolicySpec })[]
  bindings: readonly (KubeObject & { spec: BindingSpec })[]
}

/** A ConfigMap that bindings name. */
export interface TrustedList {
  namespace: string
  name: string
  /** Names of these bindings. */
  bindings: readonly string[]
  lines: Read<readonly string[]>
}

export interface Check {
  /** What was looked at, such as `leader`. */
  name: string
  /** `unknown`: it could not be looked at. */
  level: 'ok' | 'warning' | 'error' | 'unknown'
  /** What was found, a sentence without its point. */
  message: string
  /** What mends it. */
  cure?: string
}

/** What the user may not look at is neither right nor wrong. */
export function hidden(name: string, what: string): Check {
  return { name, level: 'unknown', message: `you may not read ${what}` }
}

/** What others have changed is taken back by force alone. */
export const install =
  'kubectl apply --server-side --force-conflicts -k config/default (where Helm has installed it: helm upgrade --force-conflicts)'

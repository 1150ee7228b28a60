/**
 * Generated from crds/registrycredentials.yaml by `npm run generate`; do not edit.
 * Fields of the spec with a default are not optional here: the API server fills them in, also in objects stored before.
 */
import type { ObjectMeta } from './object-meta.ts'

/**
 * A RegistryCredential puts a registry login into the namespaces that need it, as a Secret that pods pull images with, and keeps both the Secrets and the ServiceAccounts that name them right.
 */
export interface RegistryCredential {
  /**
   * The version of this API: regcred.dev/v1.
   */
  apiVersion?: string
  /**
   * The kind of this object: RegistryCredential.
   */
  kind?: string
  metadata: ObjectMeta
  spec: RegistryCredentialSpec
  status?: RegistryCredentialStatus
}
/**
 * What is wanted.
 */
export interface RegistryCredentialSpec {
  /**
   * The name of the Secret that is written into each selected namespace. Credentials with the same name are merged into one Secret per namespace. The installation decides which names the operator may write (--secret-name).
   */
  secretName: string
  source: RegistryCredentialSource
  /**
   * The registries the login is for, for example docker.io/acme/, ghcr.io, registry.example.com:5000 or 123456789012.dkr.ecr.*.amazonaws.com: a host, in which * stands for any run of characters within one part of the name, and a path if only the images below it are meant. Needed where the source has only a user name and a password; where the source names registries itself, only these are taken from it. An empty list is as none.
   */
  registries?: string[]
  namespaces?: NamespaceSelection
  /**
   * The ServiceAccounts in the selected namespaces whose imagePullSecrets get the name of the Secret: names or globs (* and ?), for example [default, "deploy-*"]; ["*"] is all of them, [] none. A ServiceAccount with the annotation regcred.dev/opt-out: "true" is left alone.
   */
  serviceAccounts: string[]
  /**
   * Who wins when two credentials give the same registry in the same Secret: the higher number, then the name that sorts first.
   */
  priority: number
  /**
   * true stops the operator from changing anything for this credential; what exists stays as it is.
   */
  suspend: boolean
  /**
   * What happens when the credential is deleted: Delete removes its Secrets and the entries in the ServiceAccounts, Orphan leaves them in place, no longer managed.
   */
  deletionPolicy: 'Delete' | 'Orphan'
}
/**
 * Where the login comes from. Exactly one member.
 */
export interface RegistryCredentialSource {
  /**
   * A Secret in the namespace of the operator (regcred-system), never in another one. It is watched: a change reaches all namespaces at once. Its type is kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/basic-auth, or Opaque with the keys username and password; the last two also need registries.
   */
  secretRef?: {
    /**
     * The name of the Secret, for example dockerhub.
     */
    name: string
  }
}
/**
 * The namespaces that get the Secret. Left out: only those that opt in by the label use.regcred.dev/<name of this credential>: "true". A namespace opts out by the same label with the value "false", and of all credentials by the label regcred.dev/opt-out: "true"; opting out always wins.
 */
export interface NamespaceSelection {
  /**
   * Names or globs (* and ?), for example "team-*"; ["*"] is every namespace. kube-system, kube-public and kube-node-lease only by their plain names. With selector as well, a namespace must satisfy both.
   */
  include?: string[]
  /**
   * Selects namespaces by their labels, for example {matchLabels: {tier: backend}}. {} selects all. Whoever may label a namespace may then give it this login.
   */
  selector?: {
    /**
     * Labels that a namespace must all have, with these values.
     */
    matchLabels?: {
      [k: string]: string
    }
    /**
     * Requirements on labels that must all hold.
     *
     * Items: One requirement, for example {key tier, operator In, values [backend, batch]}.
     */
    matchExpressions?: {
      /**
       * The key of the label.
       */
      key: string
      /**
       * In and NotIn compare with values; Exists and DoesNotExist look at the key alone. NotIn and DoesNotExist also hold where the label is absent.
       */
      operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
      /**
       * The values of In and NotIn; none for the other operators.
       */
      values?: string[]
    }[]
  }
  /**
   * Names or globs (* and ?) that never get the Secret, for example "team-sandbox-*". Wins over include, selector and the label by which a namespace opts in.
   */
  exclude?: string[]
  /**
   * Whether a namespace that is not selected otherwise may ask for the Secret by the label use.regcred.dev/<name of this credential>: "true".
   */
  optIn: boolean
}
/**
 * What is, as the operator saw it last.
 */
export interface RegistryCredentialStatus {
  /**
   * The metadata.generation that this status is about; -1 as long as the operator has not looked at it.
   */
  observedGeneration?: number
  /**
   * Ready is True when all selected namespaces are up to date. Reconciling is there while work goes on, Stalled when the operator cannot go on without a change of the credential or its source, Overlapping when another credential wins a registry in the same Secret.
   */
  conditions?: Condition[]
  /**
   * The selected namespaces in numbers.
   */
  namespaces?: {
    /**
     * How many namespaces are selected.
     */
    selected: number
    /**
     * How many of them are up to date.
     */
    synced: number
    /**
     * How many of them could not be brought up to date; failures lists the first ten.
     */
    failed: number
    /**
     * synced/selected, for example 98/100, as kubectl get shows it.
     */
    summary: string
  }
  /**
   * The selected ServiceAccounts in the selected namespaces, in numbers.
   */
  serviceAccounts?: {
    /**
     * How many ServiceAccounts are selected.
     */
    selected: number
    /**
     * How many of them name the Secret in their imagePullSecrets.
     */
    linked: number
  }
  /**
   * The first ten namespaces, by name, that could not be brought up to date.
   */
  failures?: Failure[]
  /**
   * The login that is in use, without its secret parts.
   */
  credential?: {
    /**
     * The keys that are written into the Secrets, in the spelling that the kubelet understands.
     *
     * Items: A docker config key, for example ghcr.io or docker.io/acme/.
     */
    registries: string[]
    /**
     * When the source was last changed.
     */
    issuedAt?: string
    /**
     * When the registry stops taking it; absent where the source does not tell.
     */
    expiresAt?: string
    /**
     * When the operator asks the source again; absent where the source is watched.
     */
    nextRefreshAt?: string
  }
}
/**
 * One aspect of the state.
 */
export interface Condition {
  /**
   * The aspect, for example Ready.
   */
  type: string
  /**
   * Whether it holds.
   */
  status: 'True' | 'False' | 'Unknown'
  /**
   * The metadata.generation that this condition is about.
   */
  observedGeneration?: number
  /**
   * When status changed last.
   */
  lastTransitionTime: string
  /**
   * Why, in one word, for example Succeeded or SourceNotFound.
   */
  reason: string
  /**
   * Why, in a sentence. Never holds secret data.
   */
  message: string
}
/**
 * What went wrong in one namespace.
 */
export interface Failure {
  /**
   * The name of the namespace.
   */
  namespace: string
  /**
   * Why, in one word, for example NotOwned.
   */
  reason: string
  /**
   * Why, in a sentence. Never holds secret data.
   */
  message: string
}

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
   * Inherit: pods get the Secret from their ServiceAccount, so those that list imagePullSecrets of their own do not. AddToOwnList: the name of the Secret is added to their lists too when they are created, where the ServiceAccount is selected by its name; the installation must have the admission policies for that (config/admission). Default: Inherit.
   */
  pods: 'Inherit' | 'AddToOwnList'
  /**
   * What is done about pods that wait for an image that this credential is for, and cannot pull it as they are. Report: they are counted in status.pods, and an Event on each tells what is wrong and what heals it. Evict: those that a new pod would heal, and a controller makes anew, are evicted too, where the installation lets the operator (config/evict-pods). "Off" (in quotes, YAML reads Off as false): nobody looks. Default: Report.
   */
  healPods: 'Off' | 'Report' | 'Evict'
  /**
   * Who wins when two credentials give the same registry in the same Secret: the higher number, then the name that sorts first.
   */
  priority: number
  /**
   * How often a source is asked again that does not tell when its login ends, for example 1h or 30m. A source that is watched (secretRef, files) is not, one that tells is asked at half of the life. Default: 1h.
   */
  refreshInterval: string
  /**
   * How a new login is checked with the registry before it is rolled out, and now and then later. Without image, whether the registry takes it; with image, whether it may be pulled.
   */
  verify: {
    /**
     * Enforce: what the registry refuses is not rolled out, and what was good last stays. Warn: it is rolled out all the same, and the condition Verified tells. Skip: nothing is asked. A registry that cannot be reached or will not say never holds a login back. Default: Enforce.
     */
    policy: 'Enforce' | 'Warn' | 'Skip'
    /**
     * An image that the login must be able to pull, for example ghcr.io/acme/app:1.0. Only its manifest is asked for, by HEAD.
     */
    image?: string
  }
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
 * Where the login comes from. Exactly one member. A secretRef within it names a Secret in the namespace of the operator (regcred-system), never in another one; a serviceAccountName a ServiceAccount there, for which the installation must let the operator ask for tokens (config/identities).
 */
export interface RegistryCredentialSource {
  /**
   * A Secret in the namespace of the operator (regcred-system), never in another one. It is watched: a change reaches all namespaces at once. Its type is kubernetes.io/dockerconfigjson, kubernetes.io/dockercfg, kubernetes.io/basic-auth, or Opaque with the keys username and password; the last two also need registries.
   */
  secretRef?: {
    /**
     * The name of the Secret.
     */
    name: string
  }
  /**
   * Files that are mounted into the pod of the operator, for example by a Secrets Store CSI driver, below the folder that the installation sets (--files-dir). They are watched.
   */
  files?: {
    /**
     * A folder in there: with .dockerconfigjson, config.json or .dockercfg, or with username and password (which need registries).
     */
    name: string
  }
  /**
   * Amazon Elastic Container Registry: a token for every region, valid for twelve hours.
   */
  ecr?: {
    /**
     * The regions whose registries the login is for; one token each.
     */
    regions: string[]
    /**
     * Accounts whose registries the login is for, as the identity may pull from them. Left out: the identity's own.
     */
    registryIds?: string[]
    /**
     * A Secret with the keys accessKeyId, secretAccessKey and, for temporary ones, sessionToken.
     */
    secretRef?: {
      /**
       * The name of the Secret.
       */
      name: string
    }
    /**
     * A ServiceAccount of the operator's namespace that the first of roles trusts (AssumeRoleWithWebIdentity; audience sts.amazonaws.com).
     */
    serviceAccountName?: string
    /**
     * Roles to assume, each with the credentials of the one before.
     *
     * Items: One role.
     */
    roles?: {
      /**
       * The role's ARN, for example arn:aws:iam::123456789012:role/pull.
       */
      arn: string
      /**
       * The external id that the role's trust policy asks for.
       */
      externalId?: string
    }[]
  }
  /**
   * Amazon ECR Public (public.ecr.aws).
   */
  ecrPublic?: {
    /**
     * A Secret with the keys accessKeyId, secretAccessKey and, for temporary ones, sessionToken.
     */
    secretRef?: {
      /**
       * The name of the Secret.
       */
      name: string
    }
    /**
     * A ServiceAccount of the operator's namespace that the first of roles trusts (AssumeRoleWithWebIdentity; audience sts.amazonaws.com).
     */
    serviceAccountName?: string
    /**
     * Roles to assume, each with the credentials of the one before.
     *
     * Items: One role.
     */
    roles?: {
      /**
       * The role's ARN, for example arn:aws:iam::123456789012:role/pull.
       */
      arn: string
      /**
       * The external id that the role's trust policy asks for.
       */
      externalId?: string
    }[]
  }
  /**
   * Google Artifact Registry and Container Registry: an access token, valid for an hour. registries must name the hosts, for example europe-docker.pkg.dev.
   */
  gar?: {
    /**
     * A Secret with the key key.json: the JSON key of a service account.
     */
    secretRef?: {
      /**
       * The name of the Secret.
       */
      name: string
    }
    /**
     * Workload identity federation: a ServiceAccount's token is exchanged for one of Google.
     */
    workloadIdentity?: {
      /**
       * The provider, for example //iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool/providers/cluster.
       */
      audience: string
      /**
       * A ServiceAccount of the operator's namespace, whose token has the audience https:// + audience without the leading //.
       */
      serviceAccountName: string
      /**
       * The e-mail of a Google service account to act as; left out, the federated identity itself must have the rights.
       */
      impersonate?: string
    }
    /**
     * The identity of the operator's own pod or node, from the metadata server.
     */
    metadataServer?: {
      /**
       * Which account of the instance; an e-mail, or default. Default: default.
       */
      account: string
    }
  }
  /**
   * Azure Container Registry: a refresh token, or with repositories an access token for these alone.
   */
  acr?: {
    /**
     * The login server.
     */
    registry: string
    /**
     * The Entra tenant of the application, by its id or a domain.
     */
    tenantId?: string
    /**
     * The application (client) id; with managedIdentity that of a user-assigned identity.
     */
    clientId?: string
    /**
     * A Secret with the key clientSecret.
     */
    secretRef?: {
      /**
       * The name of the Secret.
       */
      name: string
    }
    /**
     * A ServiceAccount of the operator's namespace that the application has a federated credential for (audience api://AzureADTokenExchange).
     */
    serviceAccountName?: string
    /**
     * The managed identity of the node or pod.
     */
    managedIdentity?: {}
    /**
     * Repositories that the login is limited to, for example team/app. It is put under the names of these alone, registry/repository, so that several such credentials can go into one Secret.
     */
    repositories?: string[]
    /**
     * Where the tenant is. Default: AzurePublic.
     */
    cloud: 'AzurePublic' | 'AzureGovernment' | 'AzureChina'
  }
  /**
   * Experimental: a GitHub App's installation token for ghcr.io, valid for an hour. GitHub does not promise that such tokens may pull packages, so verify.image is needed.
   */
  github?: {
    /**
     * The App's id, in quotes.
     */
    appId: string
    /**
     * The id of its installation in the organisation, in quotes.
     */
    installationId: string
    /**
     * A Secret with the key privateKey: the App's private key (PEM).
     */
    secretRef: {
      /**
       * The name of the Secret.
       */
      name: string
    }
    /**
     * The API; of GitHub Enterprise Server for example https://github.example.com/api/v3. Default: https://api.github.com.
     */
    url: string
    /**
     * The registry's host. Default: ghcr.io.
     */
    registry: string
  }
  /**
   * GitLab: a deploy token with the scope read_registry, made and revoked by the operator.
   */
  gitlab?: {
    /**
     * The GitLab server. Default: https://gitlab.com.
     */
    url: string
    /**
     * The host of its container registry. Default: registry.gitlab.com.
     */
    registry: string
    /**
     * The project the token is for: its path or its number, for example acme/app.
     */
    project?: string
    /**
     * The group the token is for: its path or its number, for example acme.
     */
    group?: string
    /**
     * A Secret with the key token: an access token of a Maintainer or Owner with the scope api.
     */
    secretRef: {
      /**
       * The name of the Secret.
       */
      name: string
    }
    /**
     * Days until a deploy token ends by itself; it is renewed at half of them. Default: 14.
     */
    lifetimeDays: number
  }
  /**
   * Harbor: robot accounts whose secrets the operator renews. With two of them, in turn, so that the one in use is never touched; with one, pulls fail for the seconds that a rollout takes.
   */
  harbor?: {
    /**
     * The Harbor server.
     */
    url: string
    /**
     * One or two robot accounts by their full names, for example robot$acme+pull-a. Of a project they are found when the installation's prefix ends in a character that names of projects do not have, as Harbor's own (robot$) does.
     */
    robots: string[]
    /**
     * A Secret with the keys username and password of who may update the robots.
     */
    secretRef: {
      /**
       * The name of the Secret.
       */
      name: string
    }
  }
  /**
   * Quay: a robot account with federation, which a ServiceAccount's token is exchanged for.
   */
  quay?: {
    /**
     * The Quay server. Default: https://quay.io.
     */
    url: string
    /**
     * The robot account, for example acme+puller.
     */
    robot: string
    /**
     * A ServiceAccount of the operator's namespace that the robot trusts.
     */
    serviceAccountName: string
    /**
     * The audience of its token. Left out: url.
     */
    audience?: string
  }
  /**
   * HashiCorp Vault or OpenBao. What is there has the keys of a Secret: .dockerconfigjson, or username and password (which need registries).
   */
  vault?: {
    /**
     * The server.
     */
    url: string
    /**
     * Where the secrets engine is mounted. Default: secret.
     */
    mount: string
    /**
     * The path within it, without data/.
     */
    path: string
    /**
     * The kind of secrets engine. Dynamic is one that makes a login with a lease at every read. Default: KVv2.
     */
    engine: 'KVv2' | 'KVv1' | 'Dynamic'
    /**
     * The namespace of Vault Enterprise or OpenBao.
     */
    namespace?: string
    /**
     * What the keys are called there.
     */
    keys: {
      /**
       * The key of the user name. Default: username.
       */
      username: string
      /**
       * The key of the password or token. Default: password.
       */
      password: string
    }
    /**
     * A Secret with the key token.
     */
    secretRef?: {
      /**
       * The name of the Secret.
       */
      name: string
    }
    /**
     * The Kubernetes auth method.
     */
    kubernetes?: {
      /**
       * The role that is logged in to.
       */
      role: string
      /**
       * A ServiceAccount of the operator's namespace that is bound to the role.
       */
      serviceAccountName: string
      /**
       * Where the auth method is mounted. Default: kubernetes.
       */
      mount: string
      /**
       * The audience of the ServiceAccount's token. Default: vault.
       */
      audience: string
    }
  }
  /**
   * Any OIDC provider that exchanges a ServiceAccount's token for an access token (RFC 8693). registries must name where it is good for.
   */
  tokenExchange?: {
    /**
     * The provider's issuer; its endpoints are discovered there.
     */
    issuer: string
    /**
     * A ServiceAccount of the operator's namespace, whose token is exchanged.
     */
    serviceAccountName: string
    /**
     * The audience of the ServiceAccount's token. Left out: issuer.
     */
    subjectAudience?: string
    /**
     * The client at the provider. Default: regcred-operator.
     */
    clientId: string
    /**
     * A Secret with the key clientSecret; left out, the client is a public one.
     */
    secretRef?: {
      /**
       * The name of the Secret.
       */
      name: string
    }
    /**
     * What the access token is for.
     */
    audience?: string
    /**
     * The scopes asked for, separated by spaces.
     */
    scope?: string
    /**
     * The user name that the registry takes the access token with, for example oauth2accesstoken.
     */
    username: string
  }
  /**
   * A plugin of the kubelet's credential provider protocol, or a docker-credential helper, from the folder that the installation sets (--exec-plugin-dir).
   */
  exec?: {
    /**
     * The name of its file in that folder.
     */
    plugin: string
    /**
     * How it is spoken to. Default: KubeletCredentialProvider.
     */
    protocol: 'KubeletCredentialProvider' | 'DockerCredentialHelper'
    /**
     * The images (KubeletCredentialProvider) or server URLs (DockerCredentialHelper) that it is asked about, for example 123456789012.dkr.ecr.eu-central-1.amazonaws.com/app.
     */
    for: string[]
    /**
     * Arguments of the plugin (KubeletCredentialProvider). They are not secret.
     */
    args?: string[]
    /**
     * A ServiceAccount of the operator's namespace, whose token and annotations the plugin gets.
     */
    serviceAccountName?: string
    /**
     * The audience of that token.
     */
    audience?: string
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
   * Ready is True when all selected namespaces are up to date. Reconciling is there while work goes on, Stalled when the operator cannot go on without a change of the credential or its source, Verified when a registry was asked, RefreshFailing while a login that is still good cannot be renewed, Overlapping when another credential wins a registry in the same Secret, Contended while somebody keeps undoing what the operator writes.
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
   * Pods in the selected namespaces, in numbers; absent where nobody looks: spec.healPods is "Off", the credential is suspended or being deleted, or the operator may not watch pods.
   */
  pods?: {
    /**
     * How many wait for an image that this credential is for, since they lack the Secret, were refused with it, or have another pull Secret that the kubelet cannot read. An Event on each tells more.
     */
    stuck: number
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
     * When the source gave it, or was last changed.
     */
    issuedAt?: string
    /**
     * When the registry stops taking it; absent where the source does not tell.
     */
    expiresAt?: string
    /**
     * When the registry was last asked about it; the condition Verified tells what it said.
     */
    verifiedAt?: string
    /**
     * The value of the annotation regcred.dev/refresh that was answered last.
     */
    refreshRequest?: string
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

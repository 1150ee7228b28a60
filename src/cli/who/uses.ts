/** Who uses which credential: namespaces, ServiceAccounts, and the pods that the kubelet gives its login to. */
import type { Credential } from '../../model/credential.ts'
import type { ObservedServiceAccount, RecognizedSecret } from '../../model/observed.ts'
import { type Namespace, selectsNamespace, selectsServiceAccount } from '../../model/selection.ts'
import { loginsIn } from '../recognize.ts'

/** A pod that has not ended. */
export interface UsingPod {
  namespace: string
  serviceAccount: string
  pullSecrets: readonly string[]
  /** `Deployment/web`, or `Pod/web` where nobody controls it. */
  workload: string
}

export interface Population {
  credentials: readonly Credential[]
  namespaces: readonly Namespace[]
  serviceAccounts: readonly ObservedServiceAccount[]
  /** Undefined: the user may not list them, and the credentials that select a namespace count as those in it. */
  secrets: readonly RecognizedSecret[] | undefined
  /** Undefined: nobody asked, or the user may not list them. */
  pods: readonly UsingPod[] | undefined
}

/**
 * - Linked: the ServiceAccount names the Secret, which has the login.
 * - NotLinked: the credential selects the ServiceAccount, which does not name the Secret (yet, or somebody took it off).
 * - NoLogin: the ServiceAccount is selected, or names the Secret, but the login is not in it.
 * - PodsOnly: pods of the ServiceAccount name the Secret themselves.
 * - SecretOnly: the login is in the namespace, and no ServiceAccount or pod uses it.
 */
export type UseState = 'Linked' | 'NotLinked' | 'NoLogin' | 'PodsOnly' | 'SecretOnly'

export interface Use {
  credential: string
  secret: string
  namespace: string
  /** '' with SecretOnly. */
  serviceAccount: string
  state: UseState
  /** Pods that name the Secret; undefined where pods are not known. */
  pods: number | undefined
  /** The workloads that these are of. */
  workloads: number | undefined
}

/** By credential, namespace and ServiceAccount. */
export function usesOf({ credentials, namespaces, serviceAccounts, secrets, pods }: Population): Use[] {
  const accounts = Map.groupBy(serviceAccounts, ({ namespace }) => namespace)
  const hasLogin = secrets && loginsIn(secrets)
  const podsIn = pods && Map.groupBy(pods, ({ namespace }) => namespace)
  const uses = credentials.flatMap((credential) =>
    namespaces.flatMap((namespace) => {
      const selected = !credential.deleting && selectsNamespace(credential, namespace)
      const holds = hasLogin ? hasLogin(credential, namespace.name) : selected
      if (!selected && !holds) return []
      const here = accounts.get(namespace.name) ?? []
      return usesIn(credential, namespace.name, { selected, holds }, here, podsIn && (podsIn.get(namespace.name) ?? []))
    }),
  )
  return uses.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

function usesIn(
  credential: Credential,
  namespace: string,
  { selected, holds }: { selected: boolean; holds: boolean },
  serviceAccounts: readonly ObservedServiceAccount[],
  pods: readonly UsingPod[] | undefined,
): Use[] {
  const { name, secretName } = credential
  const using = pods?.filter(({ pullSecrets }) => pullSecrets.includes(secretName))
  const use = (serviceAccount: string, state: UseState): Use => {
    const of = using?.filter((pod) => pod.serviceAccount === serviceAccount)
    const workloads = of && new Set(of.map(({ workload }) => workload)).size
    return { credential: name, secret: secretName, namespace, serviceAccount, state, pods: of?.length, workloads }
  }
  const withPods = new Set(holds ? using?.map(({ serviceAccount }) => serviceAccount) : [])
  const uses = serviceAccounts.flatMap((account) => {
    const linked = account.pullSecrets.includes(secretName)
    const wanted = selected && selectsServiceAccount(credential, account)
    if (linked || wanted) return use(account.name, !holds ? 'NoLogin' : linked ? 'Linked' : 'NotLinked')
    return withPods.has(account.name) ? use(account.name, 'PodsOnly') : []
  })
  return uses.length === 0 && holds ? [use('', 'SecretOnly')] : uses
}

function keyOf({ credential, namespace, serviceAccount }: Use): string {
  return [credential, namespace, serviceAccount].join('\n')
}

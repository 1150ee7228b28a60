/**
 * Which namespaces and ServiceAccounts a credential is for. The admission policy in `config/admission` says the same in
 * CEL; the two must agree. In order: opting out wins over everything, then `exclude`, then opting in, then `include`
 * and `selector`, of which both must hold when both are given.
 */
import { optOutKey } from '../api/names.ts'
import type { Credential } from './credential.ts'
import { type Labels, matchesLabels } from './label-selector.ts'

export interface Namespace {
  name: string
  labels: Labels
  terminating: boolean
}

/** Namespaces of Kubernetes itself: only an `include` that names them without a wildcard selects them. */
const systemNamespaces = new Set(['kube-system', 'kube-public', 'kube-node-lease'])

export function selectsNamespace({ useLabel, namespaces }: Credential, namespace: Namespace): boolean {
  const { include, selector, exclude, optIn } = namespaces
  const use = namespace.labels[useLabel]
  if (namespace.terminating || use === 'false' || namespace.labels[optOutKey] === 'true') return false
  if (exclude(namespace.name)) return false
  const system = systemNamespaces.has(namespace.name)
  if (use === 'true' && optIn && !system) return true
  if (include === undefined && selector === undefined) return false
  const included = system
    ? include?.plainNames.has(namespace.name) === true
    : include === undefined || include.matches(namespace.name)
  return included && (selector === undefined || matchesLabels(selector, namespace.labels))
}

export function selectsServiceAccount(
  { serviceAccounts }: Credential,
  serviceAccount: { name: string; optedOut: boolean },
): boolean {
  return !serviceAccount.optedOut && serviceAccounts(serviceAccount.name)
}

/**
 * A RegistryCredential as the loops work with it: defaults filled in (an object stored under an older schema may lack
 * them), globs compiled, nothing of the API machinery but what is needed.
 */
import type { RegistryCredential } from '../api/registry-credential.ts'
import { compileGlobs, type NameMatcher } from './glob.ts'
import type { LabelSelector } from './label-selector.ts'

export interface Credential {
  name: string
  uid: string
  generation: number
  deleting: boolean
  secretName: string
  source: RegistryCredential['spec']['source']
  /** Docker config keys as written by the user; undefined: all that the source has. */
  registries: readonly string[] | undefined
  namespaces: NamespaceSelection
  serviceAccounts: NameMatcher
  priority: number
  suspended: boolean
  deletionPolicy: 'Delete' | 'Orphan'
}

export interface NamespaceSelection {
  /** Undefined when the field is absent; `plainNames` are the items without a wildcard. */
  include: { matches: NameMatcher; plainNames: ReadonlySet<string> } | undefined
  selector: LabelSelector | undefined
  exclude: NameMatcher
  optIn: boolean
}

export function interpret({ metadata, spec }: RegistryCredential): Credential {
  const { include, selector, exclude, optIn } = spec.namespaces ?? {}
  return {
    name: metadata.name,
    uid: metadata.uid,
    generation: metadata.generation ?? 0,
    deleting: metadata.deletionTimestamp !== undefined,
    secretName: spec.secretName ?? 'regcred',
    source: spec.source,
    registries: spec.registries,
    namespaces: {
      include: include && { matches: compileGlobs(include), plainNames: new Set(include) },
      selector,
      exclude: compileGlobs(exclude ?? []),
      optIn: optIn ?? true,
    },
    serviceAccounts: compileGlobs(spec.serviceAccounts ?? ['default']),
    priority: spec.priority ?? 0,
    suspended: spec.suspend ?? false,
    deletionPolicy: spec.deletionPolicy ?? 'Delete',
  }
}

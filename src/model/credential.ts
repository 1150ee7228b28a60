/**
 * A RegistryCredential as the loops work with it: defaults filled in (an object stored under an older schema may lack
 * them), globs compiled, nothing of the API machinery but what is needed.
 */
import { refreshAnnotation, useLabel } from '../api/names.ts'
import type { RegistryCredential } from '../api/registry-credential.ts'
import { compileGlobs, type NameMatcher } from './glob.ts'
import type { LabelSelector } from './label-selector.ts'

export interface Credential {
  name: string
  uid: string
  /** The label by which a Namespace opts in or out: made once, since every look at a namespace asks for it. */
  useLabel: string
  generation: number
  deleting: boolean
  secretName: string
  source: RegistryCredential['spec']['source']
  /** Docker config keys as written by the user; undefined: all that the source has. */
  registries: readonly string[] | undefined
  namespaces: NamespaceSelection
  serviceAccounts: NameMatcher
  /** Whether pods with pull Secrets of their own get this one too; an admission policy sees to it. */
  pods: 'Inherit' | 'AddToOwnList'
  /** What is done about pods that cannot pull. */
  healPods: 'Off' | 'Report' | 'Evict'
  priority: number
  suspended: boolean
  deletionPolicy: 'Delete' | 'Orphan'
  /** Milliseconds between refreshes of what does not say when it ends. */
  refreshInterval: number
  verify: { policy: 'Enforce' | 'Warn' | 'Skip'; image: string | undefined }
  /** Another value than before asks for a refresh at once. */
  refreshRequest: string | undefined
}

export interface NamespaceSelection {
  /** Undefined when the field is absent; `plainNames` are the items without a wildcard. */
  include: { matches: NameMatcher; plainNames: ReadonlySet<string> } | undefined
  selector: LabelSelector | undefined
  exclude: NameMatcher
  optIn: boolean
}

/** As in the schema of `status.credential.refreshRequest`. */
const maxRequestLength = 256

export function interpret({ metadata, spec }: RegistryCredential): Credential {
  const { include, selector, exclude, optIn } = spec.namespaces ?? {}
  return {
    name: metadata.name,
    uid: metadata.uid,
    useLabel: useLabel(metadata.name),
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
    pods: spec.pods ?? 'Inherit',
    healPods: spec.healPods ?? 'Report',
    priority: spec.priority ?? 0,
    suspended: spec.suspend ?? false,
    deletionPolicy: spec.deletionPolicy ?? 'Delete',
    refreshInterval: milliseconds(spec.refreshInterval ?? '1h'),
    verify: { policy: spec.verify?.policy ?? 'Enforce', image: spec.verify?.image },
    refreshRequest: metadata.annotations?.[refreshAnnotation]?.slice(0, maxRequestLength),
  }
}

/** Whether the watches tell when the source changes, so that nothing has to be asked by the clock. */
export function isWatched(source: Credential['source']): boolean {
  return source.secretRef !== undefined || source.files !== undefined
}

/** Milliseconds after which a source is asked again that does not say when its login ends; undefined: it is watched. */
export function pollIntervalOf({ source, refreshInterval }: Credential): number | undefined {
  return isWatched(source) ? undefined : refreshInterval
}

/** The Secret of the operator's namespace that a source reads: the source itself, or what it proves itself with. */
export function secretOf(source: Credential['source']): string | undefined {
  if (source.secretRef) return source.secretRef.name
  const [member = {}] = Object.values(source) as { secretRef?: { name: string } }[]
  return member.secretRef?.name
}

/** Of a time such as 1h30m. */
function milliseconds(time: string): number {
  const [, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(time) ?? []
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
}

/** Why a namespace is selected by a credential or not: what model/selection.ts decides, with the rule that decided it. */
import { optOutKey } from '../api/names.ts'
import type { Credential } from '../model/credential.ts'
import { matchesLabels } from '../model/label-selector.ts'
import { type Namespace, selectsNamespace } from '../model/selection.ts'

export interface SelectionReason {
  selected: boolean
  /** The end of a sentence that begins with the namespace. */
  because: string
  /** What gets it selected, where that is possible; the end of a sentence that begins with "to have it selected, ". */
  cure: string | undefined
}

export function selectionReason(credential: Credential, namespace: Namespace): SelectionReason {
  return selectsNamespace(credential, namespace)
    ? { selected: true, because: whySelected(credential, namespace), cure: undefined }
    : { selected: false, ...whyNot(credential, namespace) }
}

function whySelected({ useLabel, namespaces: { include, selector } }: Credential, { name, labels }: Namespace): string {
  const included = include === undefined || include.matches(name)
  const bySpec = included && (selector === undefined || matchesLabels(selector, labels))
  if (!bySpec || (include === undefined && selector === undefined)) return `opts in by its label ${useLabel}=true`
  const fields = [include && 'spec.namespaces.include', selector && 'spec.namespaces.selector'].filter(Boolean)
  return `is selected by ${fields.join(' and ')}`
}

function whyNot(credential: Credential, namespace: Namespace): Omit<SelectionReason, 'selected'> {
  const { useLabel, namespaces } = credential
  const { include, selector, exclude, optIn } = namespaces
  const { name, labels, terminating } = namespace
  const unlabel = (label: string) => `take that label off: kubectl label namespace ${name} ${label}-`
  if (terminating) return { because: 'is being deleted', cure: undefined }
  if (labels[useLabel] === 'false') {
    return { because: `opts out by its label ${useLabel}=false`, cure: unlabel(useLabel) }
  }
  if (labels[optOutKey] === 'true') {
    return { because: `opts out of all credentials by its label ${optOutKey}=true`, cure: unlabel(optOutKey) }
  }
  if (exclude(name)) {
    return { because: 'is excluded by spec.namespaces.exclude', cure: 'take it out of spec.namespaces.exclude' }
  }
  const isSystem = !selectsNamespace(openTo(credential), { ...namespace, labels: {} })
  if (isSystem) {
    const cure = `add ${name} to spec.namespaces.include`
    return { because: 'is of Kubernetes itself, which only an include without a wildcard selects', cure }
  }
  const byLabel = `label it: kubectl label --overwrite namespace ${name} ${useLabel}=true`
  const cure = optIn ? byLabel : 'have spec.namespaces select it'
  if (labels[useLabel] === 'true') {
    return { because: `asks for it by its label ${useLabel}=true, but spec.namespaces.optIn is false`, cure }
  }
  if (include === undefined && selector === undefined) {
    return { because: 'has not opted in, and spec.namespaces has neither include nor selector', cure }
  }
  if (include !== undefined && !include.matches(name)) {
    return { because: 'is not in spec.namespaces.include', cure }
  }
  return { because: 'lacks the labels that spec.namespaces.selector asks for', cure }
}

/** Would select every namespace that is not one of Kubernetes' own. */
function openTo(credential: Credential): Credential {
  const all = { matches: () => true, plainNames: credential.namespaces.include?.plainNames ?? new Set<string>() }
  return { ...credential, namespaces: { include: all, selector: undefined, exclude: () => false, optIn: false } }
}

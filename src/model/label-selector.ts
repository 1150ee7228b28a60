/**
 * Kubernetes label selectors (metav1.LabelSelector): all matchLabels and all matchExpressions must hold.
 * An empty selector matches everything; `NotIn` and `DoesNotExist` also hold when the key is absent.
 */

export type Labels = Readonly<Record<string, string>>

export interface LabelSelector {
  matchLabels?: Labels
  matchExpressions?: readonly LabelSelectorRequirement[]
}

export interface LabelSelectorRequirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  values?: readonly string[]
}

export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  return equal && (selector.matchExpressions ?? []).every((requirement) => holds(requirement, labels))
}

function holds({ key, operator, values = [] }: LabelSelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined // a key may be called `constructor`
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

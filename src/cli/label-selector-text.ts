/** A label selector as kubectl takes it by `-l`: `tier=backend,env in (dev,test),!legacy`. Pure. */
import type { NamespaceSelection } from '../api/registry-credential.ts'

export type Selector = NonNullable<NamespaceSelection['selector']>
type Requirement = NonNullable<Selector['matchExpressions']>[number]

const operators = { in: 'In', notin: 'NotIn' } as const

const name = '([A-Za-z0-9./_-]+)'
const value = '([A-Za-z0-9._-]*)'
const equality = new RegExp(String.raw`^${name}\s*(==?|!=)\s*${value}$`)
const set = new RegExp(String.raw`^${name}\s+(in|notin)\s*\(([^()]*)\)$`)
const existence = new RegExp(String.raw`^(!?)\s*${name}$`)

/** @returns undefined where it is none; whether keys and values are valid is the API server's to say */
export function parseSelector(text: string): Selector | undefined {
  const matchLabels: Record<string, string> = {}
  const matchExpressions: Requirement[] = []
  // Not at a comma within brackets.
  for (const part of text.split(/,(?![^(]*\))/).map((each) => each.trim())) {
    const [, label = '', operator, wanted = ''] = equality.exec(part) ?? []
    const requirement = requirementOf(part)
    if (operator === '!=') matchExpressions.push({ key: label, operator: 'NotIn', values: [wanted] })
    else if (operator !== undefined && !(label in matchLabels)) matchLabels[label] = wanted
    else if (requirement !== undefined) matchExpressions.push(requirement)
    else return undefined
  }
  return {
    ...(Object.keys(matchLabels).length > 0 && { matchLabels }),
    ...(matchExpressions.length > 0 && { matchExpressions }),
  }
}

function requirementOf(part: string): Requirement | undefined {
  const [, key, operator, list = ''] = set.exec(part) ?? []
  if (key !== undefined) {
    return {
      key,
      operator: operators[operator as keyof typeof operators],
      values: list.split(',').map((v) => v.trim()),
    }
  }
  const [, not, label] = existence.exec(part) ?? []
  return label === undefined ? undefined : { key: label, operator: not === '!' ? 'DoesNotExist' : 'Exists' }
}

/** What is told of an image, and what of it is the same in several cases. */
import { type Facts, pullSecretsOf } from './facts.ts'
import { covers, hiddenSecrets, type Tried } from './keys.ts'
import { type Obstacle, obstacleOf } from './obstacle.ts'
import type { Validity } from './validity.ts'

export type Answer = 'yes' | 'no' | 'unknown'

export interface TriedLogin extends Tried {
  /** What is known of the login. */
  validity: Validity
}

/** Of one image. */
export type Told = [pulls: Answer, because: string[], cures: string[]]

/** What it means that the kubelet has none. */
export function withoutLogin(facts: Facts): string {
  const hidden = hiddenSecrets(facts)
  if (hidden.length > 0)
    return `It cannot be told whether the kubelet has a login for it: you may not read Secret ${hidden.join(', ')}.`
  if (pullSecretsOf(facts) === undefined) return 'It cannot be told whether the kubelet has a login for it.'
  return 'The kubelet has no login for it, and asks the registry without one: that works for public images only.'
}

/** What is in the way of the credentials that have a login for the image, or would have. @param name without tag */
export function obstaclesTo(name: string, facts: Facts): Obstacle[] {
  const serving = facts.credentials?.filter((each) => !each.deleting && covers(each, name)) ?? []
  return serving.map((each) => obstacleOf(each, name, facts)).filter((each) => each !== undefined)
}

export function cures(obstacles: readonly Obstacle[]): string[] {
  return obstacles.flatMap(({ cure }) => cure ?? [])
}

/** Of logins that are known to be bad. */
export function curesOf(tried: readonly TriedLogin[]): string[] {
  const names = new Set(
    tried.filter(({ validity }) => validity.good === 'no').flatMap(({ credential }) => credential ?? []),
  )
  return [...names].map((name) => `kubectl regcred status ${name} -o wide`)
}

/** The kubelet has tried, and the registry wants another login. */
import type { PullCause } from '../../model/pull-message.ts'
import { verdictOf } from '../../model/stuck-pod.ts'
import { caseOf } from './case.ts'
import { type Facts, pullSecretsOf } from './facts.ts'
import { covers } from './keys.ts'
import { newPod } from './obstacle.ts'
import { cures, curesOf, obstaclesTo, type Told, type TriedLogin, withoutLogin } from './told.ts'

/** @param name of the image, normalised and without tag */
export function ofRefusal(cause: PullCause, tried: readonly TriedLogin[], name: string, facts: Facts): Told {
  if (cause === 'malformed') return ofMalformed(facts)
  const first =
    cause === 'missing' || tried.length === 0 ? 'The registry wants a login for it' : 'The registry refuses the login'
  const of = facts.credentials?.filter((each) => covers(each, name)) ?? []
  for (const credential of of) {
    if (!tried.some((each) => each.credential === credential.name)) continue
    const stuck = caseOf(credential, name, facts, cause)
    const verdict = stuck && verdictOf(stuck)
    if (verdict === 'wait') {
      const because = `${first}; that of RegistryCredential ${credential.name} may have come after the last attempt.`
      return ['unknown', [because], ['Wait: the kubelet tries again within five minutes']]
    }
    if (verdict === 'RefusedBefore') {
      const because = `${first}, but that was before the login in use of RegistryCredential ${credential.name} was had.`
      return ['unknown', [because], [`Wait: the kubelet tries again within five minutes; or ${newPod(facts)}`]]
    }
    if (verdict === 'Refused') {
      const because = `${first} of RegistryCredential ${credential.name}: it is wrong, or has no right to this image. A new pod is no cure.`
      return ['no', [because], [`kubectl regcred verify ${credential.name} --image ${name}`, ...curesOf(tried)]]
    }
  }
  const obstacles = obstaclesTo(name, facts)
  const because = obstacles.length > 0 ? obstacles.map((each) => each.because) : [whyRefused(tried, name, facts)]
  return ['no', [`${first}.`, ...because], [...cures(obstacles), ...curesOf(tried)]]
}

/** The kubelet does not say which it is, and the user may not read it, or has mended it since. */
function ofMalformed(facts: Facts): Told {
  const because = 'The kubelet cannot read one of the pull Secrets of the pod, and so pulls no image of it.'
  const names = (pullSecretsOf(facts) ?? []).join(', ')
  return ['no', [because], [`Mend or delete the one of ${names} that is malformed; the pod starts by itself then`]]
}

function whyRefused(tried: readonly TriedLogin[], name: string, facts: Facts): string {
  if (tried.length > 0) return 'None of the logins that the kubelet has for it is taken.'
  if (facts.credentials === undefined) return withoutLogin(facts)
  return `No RegistryCredential has a login for ${name}, nor has any pull Secret of the pod.`
}

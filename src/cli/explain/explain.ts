/** Whether each image will be pulled, why, and what to do. */
import { nameOf, parseImage } from '../../model/image.ts'
import { causeOfWaiting } from './case.ts'
import { type Facts, pullSecretsOf } from './facts.ts'
import { covers, hiddenSecrets, isPrivate, triedFor } from './keys.ts'
import { notesOf } from './notes.ts'
import type { Obstacle } from './obstacle.ts'
import { ofRefusal } from './refusal.ts'
import { cannotPull, type SubjectImage } from './subject.ts'
import { type Answer, cures, curesOf, obstaclesTo, type Told, type TriedLogin, withoutLogin } from './told.ts'
import { validityOf } from './validity.ts'

export interface ImageExplanation {
  user: string
  image: string
  /** Whether it will be pulled. */
  pulls: Answer
  /** Sentences. */
  because: string[]
  /** The logins in the order in which the kubelet tries them. */
  tried: TriedLogin[]
  /** Sentences and commands. */
  cures: string[]
}

export interface Explanation {
  subject: string
  namespace: string
  serviceAccount: string
  /** Names in the order of the list; undefined: not known. */
  pullSecrets: readonly string[] | undefined
  /** No for one image, or for a pod that there is, is no for all. */
  pulls: Answer
  images: ImageExplanation[]
  /** Pods that a workload has, and that cannot pull now. */
  stuckPods: readonly string[]
  /** What could not be read, and the like. */
  notes: string[]
}

export function explain(facts: Facts): Explanation {
  const { subject } = facts
  const images = subject.images.map((image) => explainImage(image, facts))
  const answers = new Set(images.map(({ pulls }) => pulls))
  const pulls = answers.has('no') || subject.stuckPods.length > 0 ? 'no' : answers.has('unknown') ? 'unknown' : 'yes'
  const { name, namespace, serviceAccount, stuckPods } = subject
  return {
    subject: name,
    namespace,
    serviceAccount,
    pullSecrets: pullSecretsOf(facts),
    pulls,
    images,
    stuckPods,
    notes: notesOf(facts),
  }
}

function explainImage({ user, image, pulled, waiting }: SubjectImage, facts: Facts): ImageExplanation {
  const parsed = parseImage(image)
  if (parsed === undefined) {
    const because = ['This is not the name of an image in a registry.']
    return { user, image, pulls: 'no', because, tried: [], cures: ['Correct the name; letters are lower-case'] }
  }
  const name = nameOf(parsed)
  const tried = triedFor(facts, name).map((each) => ({ ...each, validity: validityOf(each, facts) }))
  const cause = causeOfWaiting(waiting)
  const malformed = cause === 'malformed' || !pulled ? malformedSecrets(facts) : undefined
  const part = (pulls: Answer, because: string[], cures: string[] = []): ImageExplanation => ({
    user,
    image,
    pulls,
    because,
    tried,
    cures,
  })
  if (malformed) return part('no', [malformed.because], malformed.cure ? [malformed.cure] : [])
  if (pulled && !cannotPull(waiting))
    return part('yes', ['A container was made of it, so it was pulled, or was on the node.'])
  if (cannotPull(waiting) && cause === undefined) {
    const because = `It could not be pulled (${waiting?.reason}), and not for want of a login, as far as the kubelet's words tell.`
    return part('no', [because], [`kubectl describe ${facts.subject.name} -n ${facts.subject.namespace}`])
  }
  if (cause === undefined) return part(...ofTried(tried, name, facts))
  return part(...ofRefusal(cause, tried, name, facts))
}

/** Nothing has been tried yet, or it is still under way. */
function ofTried(tried: readonly TriedLogin[], name: string, facts: Facts): Told {
  const [first] = tried
  if (first !== undefined) {
    const best = tried.find(({ validity }) => validity.good !== 'no')
    if (best === undefined)
      return ['no', ['All logins that the kubelet has for it are known to be bad.'], curesOf(tried)]
    const others = hiddenSecrets(facts).length > 0 ? ' of those that can be told' : ''
    return ['yes', [`The kubelet has a login for it${others}.`], []]
  }
  const obstacles = obstaclesTo(name, facts)
  const wanted = facts.credentials?.some((each) => !each.deleting && covers(each, name) && isPrivate(each, name))
  if (wanted && obstacles.length > 0) {
    const because = 'The kubelet has no login for it, and asks the registry without one.'
    return ['no', [because, ...obstacles.map((each) => each.because)], cures(obstacles)]
  }
  const forPrivate = obstacles.map((each) => `If it is private: ${each.because}`)
  return ['unknown', [withoutLogin(facts), ...forPrivate], cures(obstacles)]
}

/** What the kubelet cannot read keeps it from reading all others. */
function malformedSecrets(facts: Facts): Obstacle | undefined {
  const { namespace } = facts.subject
  for (const name of pullSecretsOf(facts) ?? []) {
    const secret = facts.secrets.get(name)
    if (secret?.state !== 'read' || secret.problem?.kind !== 'malformed') continue
    const because = `The kubelet cannot read Secret ${name} (${secret.problem.message}), and so pulls no image of the pod.`
    return { because, cure: `Mend it or delete it: kubectl delete secret ${name} -n ${namespace}` }
  }
  return undefined
}

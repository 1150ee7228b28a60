/** A pod as the operator's rules about stuck pods look at it (model/stuck-pod.ts). */
import type { ObservedCredential } from '../../controller/observe.ts'
import { causeOf, type PullCause } from '../../model/pull-message.ts'
import type { Case } from '../../model/stuck-pod.ts'
import type { Facts } from './facts.ts'
import { covers } from './keys.ts'

/**
 * @param image normalised name without tag
 * @param cause what the kubelet says; left out where it says nothing yet: then as if no login had been shown
 * @returns undefined where the pod is yet to be made
 */
export function caseOf(
  credential: ObservedCredential,
  image: string,
  { subject, serviceAccount, now }: Facts,
  cause: PullCause = 'missing',
): Case | undefined {
  if (subject.pod === undefined) return undefined
  const { name, uid, createdAt, controller } = subject.pod
  const issuedAt = Date.parse(credential.status?.credential?.issuedAt ?? '') || 0
  const account = serviceAccount.state === 'read' ? serviceAccount.value : undefined
  return {
    pod: {
      namespace: subject.namespace,
      name,
      uid,
      resourceVersion: '',
      createdAt,
      deleting: false,
      serviceAccount: subject.serviceAccount,
      pullSecrets: subject.pullSecrets,
      waits: [{ image, cause }],
      replacedBy: controller,
    },
    serviceAccount: account,
    credential,
    issuedAt,
    covers: (each) => covers(credential, each),
    heldMs: now.getTime() - Math.max(createdAt, issuedAt, account?.listedAt ?? 0),
  }
}

/** What the kubelet says of a login; undefined where it waits for nothing, or for something else. */
export function causeOfWaiting(waiting: { reason: string; message: string } | undefined): PullCause | undefined {
  return waiting && causeOf(waiting.reason, waiting.message)
}

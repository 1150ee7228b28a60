/** What is known of a login that the kubelet tries, without trying it. */
import type { ObservedCredential } from '../../controller/observe.ts'
import type { Facts } from './facts.ts'
import type { Tried } from './keys.ts'
import type { Answer } from './told.ts'

export interface Validity {
  good: Answer
  words: string
}

export function validityOf({ credential, foreign }: Tried, { credentials, now }: Facts): Validity {
  const of = credentials?.find(({ name }) => name === credential)
  if (of === undefined) return { good: 'unknown', words: foreign ? 'nobody checks it' : 'cannot be told' }
  return validityOfLogin(of, now)
}

function validityOfLogin({ status }: ObservedCredential, now: Date): Validity {
  const { expiresAt } = status?.credential ?? {}
  if (expiresAt !== undefined && Date.parse(expiresAt) < now.getTime())
    return { good: 'no', words: `ended at ${expiresAt}` }
  const end = expiresAt === undefined ? '' : `, until ${expiresAt}`
  const verified = status?.conditions?.find(({ type }) => type === 'Verified')
  switch (verified?.status) {
    case 'True':
      return { good: 'yes', words: `the registry takes it${end}` }
    case 'False':
      return { good: 'no', words: `the registry refuses it (${verified.reason})${end}` }
    default:
      return { good: 'unknown', words: `not checked${end}` }
  }
}

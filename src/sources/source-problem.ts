/** Why a source gives no usable credentials. The message is fit for a condition: it never quotes what the source said. */
export class SourceProblem extends Error {
  override name = 'SourceProblem'
  readonly reason: SourceProblemReason
  /** Seconds before which asking again is of no use. */
  readonly retryAfterSeconds: number | undefined

  constructor(reason: SourceProblemReason, message: string, retryAfterSeconds?: number) {
    super(message)
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export type SourceProblemReason =
  /** A Secret, ServiceAccount, file or plugin that the source names does not exist (yet). */
  | 'SourceNotFound'
  /** What the owner of the credential gave is wrong: only a change of theirs can mend it. */
  | 'SourceInvalid'
  | 'RegistriesRequired'
  /** The issuer does not let us: wrong keys, missing rights. */
  | 'IssuerRefused'
  /** Not reached, or not able to answer now. */
  | 'IssuerUnavailable'
  | 'RateLimited'
  /** It answered what cannot be used. */
  | 'IssuerInvalid'
  /** What it gave has ended already: a broken issuer, or a wrong clock here. */
  | 'AlreadyExpired'

/** Whether only a change by the owner of the credential or its Secret can mend it. */
export function isTerminal(reason: SourceProblemReason): boolean {
  return reason === 'SourceInvalid' || reason === 'RegistriesRequired'
}

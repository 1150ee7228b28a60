/**
 * Conditions by the Kubernetes API conventions and kstatus: `Ready` is always there; `Reconciling` and `Stalled` are
 * there only while true and never both. `lastTransitionTime` moves when the status does, not with reason or message.
 */

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  observedGeneration: number
  lastTransitionTime: string
}

export type Finding = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

const maxMessageLength = 1024

/**
 * The conditions that follow from the findings: a type without a finding is dropped.
 * @param now RFC 3339, for conditions whose status changed
 */
export function conditionsOf(
  findings: readonly Finding[],
  previous: readonly Condition[],
  observedGeneration: number,
  now: string,
): Condition[] {
  return findings
    .map((finding) => {
      const before = previous.find(({ type }) => type === finding.type)
      const message = shorten(finding.message)
      const lastTransitionTime = before?.status === finding.status ? before.lastTransitionTime : now
      return { ...finding, message, observedGeneration, lastTransitionTime }
    })
    .sort((a, b) => (a.type < b.type ? -1 : 1))
}

/** Cut to what the schema takes everywhere: a status that is too long would be refused as a whole. */
export function shorten(message: string): string {
  return message.length > maxMessageLength ? `${message.slice(0, maxMessageLength - 1)}…` : message
}

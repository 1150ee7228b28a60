/**
 * The API server's own record of the requests it got, so that a test can count
 * what the operator really sent.
 */
import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'

/** One request. Empty strings where Kubernetes has no value. */
export interface AuditEntry {
  user: string
  /** For instance `get`, `list`, `watch`, `create`, `patch`. */
  verb: string
  resource: string
  subresource: string
  namespace: string
  name: string
  /** HTTP status; 0 while the request has no answer. A watch has one from its start. */
  code: number
  /** When the API server received it. */
  time: Date
  /** When it had its answer. */
  ended: Date
  userAgent: string
  requestURI: string
  /** Of admission policies, among others. */
  annotations: Readonly<Record<string, string>>
}

/** audit.k8s.io/v1 Event, as far as it is used here. */
interface AuditEvent {
  auditID: string
  verb: string
  requestURI: string
  user: { username?: string }
  userAgent?: string
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string }
  responseStatus?: { code?: number }
  requestReceivedTimestamp: string
  stageTimestamp: string
  annotations?: Record<string, string>
}

/**
 * Everything but the arrival of requests, which would only double each line. A
 * watch is recorded when it starts and once more when it ends.
 */
export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
}

function entryOf(event: AuditEvent): AuditEntry {
  const object = event.objectRef
  return {
    user: event.user.username ?? '',
    verb: event.verb,
    resource: object?.resource ?? '',
    subresource: object?.subresource ?? '',
    namespace: object?.namespace ?? '',
    name: object?.name ?? '',
    code: event.responseStatus?.code ?? 0,
    time: new Date(event.requestReceivedTimestamp),
    ended: new Date(event.stageTimestamp),
    userAgent: event.userAgent ?? '',
    requestURI: event.requestURI,
    annotations: event.annotations ?? {},
  }
}

/** Reads an audit log: one entry per request that was received at or after `since`, in the log's order. */
export async function readAuditLog(file: string, since: Date): Promise<AuditEntry[]> {
  const text = (await buffer(createReadStream(file))).toString('utf8')
  // After the last line end there is nothing, or a line that is just being written.
  return parseAuditLog(text.slice(0, text.lastIndexOf('\n') + 1)).filter(({ time }) => time >= since)
}

/** One entry per request, in the order of the lines, which are whole ones. */
export function parseAuditLog(lines: string): AuditEntry[] {
  const requests = new Map<string, AuditEntry>()
  for (const line of lines.split('\n')) {
    if (line === '') continue
    const event = JSON.parse(line) as AuditEvent
    requests.set(event.auditID, entryOf(event))
  }
  return [...requests.values()]
}

/**
 * The API server's own record of the requests it got, so that a test can count
 * what the operator really sent.
 */
import { type FileHandle, open } from 'node:fs/promises'
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

/** How much later than another line one may stand that was written at the same time, on a machine that is busy. */
const disorderMs = 60_000
/** Longer than a line. */
const pieceBytes = 256 * 1024

/** Reads an audit log: one entry per request that was received at or after `since`, in the log's order. */
export async function readAuditLog(file: string, since: Date): Promise<AuditEntry[]> {
  const log = await open(file)
  try {
    const text = (await readFrom(log, await beginOf(log, new Date(since.getTime() - disorderMs)))).toString('utf8')
    // After the last line end there is nothing, or a line that is just being written.
    return parseAuditLog(text.slice(0, text.lastIndexOf('\n') + 1)).filter(({ time }) => time >= since)
  } finally {
    await log.close()
  }
}

/** Where a line begins before which all were written before `time`. A log of all tests has tens of thousands of lines. */
async function beginOf(log: FileHandle, time: Date): Promise<number> {
  let begin = 0
  let end = (await log.stat()).size
  while (end - begin > pieceBytes) {
    const middle = begin + Math.floor((end - begin) / 2)
    const piece = await readFrom(log, middle, pieceBytes)
    const line = piece.indexOf('\n') + 1
    const { stageTimestamp } = JSON.parse(piece.toString('utf8', line, piece.indexOf('\n', line))) as AuditEvent
    if (new Date(stageTimestamp) < time) begin = middle + line
    else end = middle
  }
  return begin
}

function readFrom(log: FileHandle, start: number, length = Number.POSITIVE_INFINITY): Promise<Buffer> {
  return buffer(log.createReadStream({ start, end: start + length - 1, autoClose: false }))
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

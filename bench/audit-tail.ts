/** The audit log from a moment on, read as it grows: to read it anew each time would disturb what is measured. */
import { createReadStream, statSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AuditEntry, parseAuditLog } from '../test/cluster/audit.ts'

const operatorUser = 'system:serviceaccount:regcred-system:regcred-operator'
const quietMs = 2_000
/** For the operator to begin. */
const patienceMs = 60_000

export class AuditTail {
  readonly #file: string
  /** Of the last byte that was read, which ends a line. */
  #position: number

  constructor(file: string) {
    this.#file = file
    this.#position = statSync(file).size - 1
  }

  /** The requests whose answers were sent since the last call. */
  async next(): Promise<AuditEntry[]> {
    const bytes = await buffer(createReadStream(this.#file, { start: this.#position }))
    const first = bytes.indexOf('\n')
    const last = bytes.lastIndexOf('\n') // what follows is just being written
    if (last === -1) return []
    this.#position += last
    return parseAuditLog(bytes.toString('utf8', first, last))
  }

  /** Reads along as `untilQuiet` does, so that what is compared with the operator is disturbed as much. */
  async during<T>(work: Promise<T>): Promise<T> {
    const isOver = work.then(() => true)
    while (!(await Promise.race([isOver, sleep(quietMs, false)]))) await this.next()
    return work
  }

  /** All requests from now on until the operator, once it has begun, sends nothing for two seconds. */
  async untilQuiet(): Promise<AuditEntry[]> {
    const deadline = Date.now() + patienceMs
    const all: AuditEntry[] = []
    for (let begun = false; ; ) {
      await sleep(quietMs)
      const more = await this.next()
      for (const entry of more) all.push(entry)
      const sent = requestsOf(more).length
      if (begun && sent === 0) return all
      begun ||= sent > 0
      if (!begun && Date.now() > deadline) throw new Error('the operator sends nothing')
    }
  }
}

/** Sent by the operator's process; the bare loop is the same user. */
export function isOperators({ user, userAgent }: AuditEntry): boolean {
  return user === operatorUser && userAgent.startsWith('regcred-operator')
}

/** The operator's requests but for watches and its lease. */
export function requestsOf(entries: readonly AuditEntry[]): AuditEntry[] {
  return entries.filter((entry) => isOperators(entry) && entry.verb !== 'watch' && entry.resource !== 'leases')
}

/** Of what the work is made of: the Secrets and ServiceAccounts of the namespaces. */
export function isWork(entry: AuditEntry): boolean {
  const { resource, namespace } = entry
  return (
    (resource === 'secrets' || resource === 'serviceaccounts') && namespace !== 'regcred-system' && !isDryRun(entry)
  )
}

function isDryRun({ requestURI }: AuditEntry): boolean {
  return requestURI.includes('dryRun=All')
}

/** The end of the last, in milliseconds since 1970. */
export function endOf(requests: readonly AuditEntry[]): number {
  return Math.max(...requests.map(({ ended }) => ended.getTime()))
}

/** Verb and resource, or path → how many. */
export function countsOf(requests: readonly AuditEntry[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const request of requests) {
    const { verb, resource, subresource, requestURI } = request
    const what = resource === '' ? requestURI : `${resource}${subresource && `/${subresource}`}`
    const kind = `${isDryRun(request) ? 'dry-run ' : ''}${verb} ${what}`
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

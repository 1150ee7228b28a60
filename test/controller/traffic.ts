/** What the operator sent to the API server, by the server's own audit log. */
import type { Cluster } from '../cluster/access.ts'
import type { AuditEntry } from '../cluster/audit.ts'

const operatorUser = 'system:serviceaccount:regcred-system:regcred-operator'

/**
 * All requests of the operator that arrived at or after `since`, but for the one question, by a dry run, whether admission
 * policies act: it comes 45 seconds after the first link, whatever a test is at then.
 */
export async function requestsSince(cluster: Cluster, since: Date): Promise<AuditEntry[]> {
  return (await cluster.auditLog(since)).filter((entry) => entry.user === operatorUser && !isAdmissionProbe(entry))
}

/** The dry run, and the look at which kinds of policies there are. */
function isAdmissionProbe({ requestURI }: AuditEntry): boolean {
  return requestURI.includes('dryRun=All') || requestURI === '/apis/admissionregistration.k8s.io/v1'
}

/** True for everything that changes, or tries to change, an object. */
export function isWrite({ verb }: AuditEntry): boolean {
  return !['get', 'list', 'watch'].includes(verb)
}

/** What a running operator does whatever happens: its watches, which end after some minutes, and its lease. */
export function isStanding({ verb, resource }: AuditEntry): boolean {
  return verb === 'watch' || resource === 'leases'
}

/** `patch secrets team-a/regcred`: for messages of failed expectations. */
export function describe({ verb, resource, subresource, namespace, name, code }: AuditEntry): string {
  return `${verb} ${resource}${subresource && `/${subresource}`} ${namespace && `${namespace}/`}${name} ${code}`
}

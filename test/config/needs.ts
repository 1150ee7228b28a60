/** Which actions the table of needs (src/cli/doctor/needs.ts) covers: everything else is to be refused. */
import { systemNamespace } from '../../src/api/names.ts'
import { type Need, needs } from '../../src/cli/doctor/needs.ts'

/** Resource → why no request of the operator shows that it is needed. */
export const unseen: Readonly<Record<string, string>> = {
  tokenreviews: 'nobody asks for them in the walk: test/process/metrics.test.ts',
  subjectaccessreviews: 'nobody asks for them in the walk: test/process/metrics.test.ts',
}

/** What Kubernetes lets every ServiceAccount do (system:basic-user, system:cluster-trust-bundle-discovery). */
const everybodys: readonly Need[] = [
  { group: 'certificates.k8s.io', resource: 'clustertrustbundles', verbs: ['get', 'list', 'watch'], why: 'CAs' },
  { group: 'authentication.k8s.io', resource: 'selfsubjectreviews', verbs: ['create'], why: 'who am I' },
  { group: 'authorization.k8s.io', resource: 'selfsubjectaccessreviews', verbs: ['create'], why: 'what may I' },
  { group: 'authorization.k8s.io', resource: 'selfsubjectrulesreviews', verbs: ['create'], why: 'what may I' },
]

/** One thing that may be asked for; without a namespace in all of them, without a name of all objects. */
export interface Action {
  verb: string
  group: string
  resource: string
  namespace?: string
  name?: string
}

export function covers(need: Need, { verb, group, resource, namespace, name }: Action): boolean {
  return (
    need.group === group &&
    need.resource === resource &&
    need.verbs.includes(verb) &&
    (need.own === undefined || namespace === systemNamespace) &&
    (need.names === undefined || (name !== undefined && need.names.includes(name)))
  )
}

export function isNeeded(action: Action): boolean {
  return [...needs, ...everybodys].some((need) => covers(need, action))
}

/** For messages; `*` is all. */
export function write({ verb, group, resource, namespace = '*', name = '*' }: Action): string {
  return `${verb} ${group}/${resource} ${namespace}/${name}`
}
